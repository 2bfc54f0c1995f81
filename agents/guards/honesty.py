"""Claims about results, compared with what the ledger has.

A number said of a metric must be one that some trial gave.  Where the sentence names the trial (`p-3f9a reached 0.91`)
it must be that trial's; where it names a configuration (`auc 0.97 with depth 3`) it must be one of a trial with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from agents.answers import Claim
from agents.guards.facts import Fact, facts_of, metrics_of, right
from agents.guards.names import ID, unknown_files, unknown_ids, unknown_names
from agents.roles import Case
from core.records import Experiment, Memory

__all__ = ["false_claims", "false_statements", "judged"]

NUMBER = r"(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
COUNTED = "points?|trials?|cycles?|epochs?|steps?|seeds?|better|worse|higher|lower|more|less"
AFTER = rf"(\s?%)?(?![\w%]|\.\d)(?!\s*(?:%|(?:{COUNTED})\b))"
"""What follows a number that is a claimed value, and no count and no difference."""
LINK = r"\s*(?:score|value)?\s*(?:of|is|was|=|:|at|reached|reaches|to|about|around|~|≈)?\s*"
"""What may stand between a metric's name and the number that is claimed for it."""
REACHED = (
    r"\s+(?:reached|reaches|gave|gives|got|scored|scores|achieved|hit|has|had|with|at)\s+(?:an?\s+)?(?:score\s+of\s+)?"
)
OTHERS = ("accuracy", "auc", "f1", "precision", "recall", "loss", "rmse", "mse", "mae", "error", "perplexity", "bleu")
"""Metrics that models like to quote, whether the campaign measures them or not."""
SENTENCE = re.compile(r"(?<=[.;!?])\s+|\n+")
CLAUSE = re.compile(r",\s+|\s+(?:and|but|while|whereas|than|against|beats|over)\s+")


def judged(
    text: str,
    case: Case,
    shown: Iterable[str] = (),
    experiments: Sequence[Experiment] = (),
    memories: Sequence[Memory] = (),
) -> list[str]:
    """All faults of a text about this case.  `shown` are further names and texts that the model was shown."""
    seen = [*shown, *(e.proposal.id for e in experiments)]
    seen += [known for m in memories for known in (m.id, m.proposal_id or m.id, m.campaign_id, m.text)]
    return [
        *unknown_names(text, case, seen),
        *unknown_ids(ID.findall(text), case, seen),
        *unknown_files(text, case, seen),
        *false_claims(text, case, experiments, memories),
    ]


def false_claims(
    text: str, case: Case, experiments: Sequence[Experiment] = (), memories: Sequence[Memory] = ()
) -> list[str]:
    """Results in `text` that no trial, prediction or shown memory gave, or not the one that is named."""
    facts = facts_of(case, experiments, memories)
    metrics = metrics_of(case)
    remembered = {m: [n for one in memories for n, _ in _values(m, one.text)] for m in metrics}
    faults: list[str] = []
    for sentence in SENTENCE.split(text):
        told = [(metric, *found) for metric in metrics for found in _values(metric, sentence)]
        for metric, number, percent in told:
            if number in remembered[metric]:
                continue
            if not any(_gave(fact, metric, number, percent) for fact in facts):
                faults.append(f"no trial gave {metric} {number}{percent}{_nearest(number, metric, facts)}")
            elif len(told) == 1 and (wrong := _of_another(sentence, metric, number, percent, case, facts)):
                faults.append(wrong)
        for clause in CLAUSE.split(sentence):
            faults += _of_other_trials(clause, metrics, facts)
        faults += [
            f"this campaign does not measure {name}: leave the number out"
            for name in OTHERS
            if name not in (m.lower() for m in metrics)
            and not any(m.lower().endswith(name) or name in m.lower().split("_") for m in metrics)
            and any(True for _ in _values(name, sentence))
        ]
    return list(dict.fromkeys(faults))


def false_statements(
    claims: Iterable[Claim], case: Case, experiments: Sequence[Experiment] = (), memories: Sequence[Memory] = ()
) -> list[str]:
    """Faults of claims that an answer makes in so many words: trial, metric and value."""
    facts = facts_of(case, experiments, memories)
    finished = {e.proposal.id for e in (*case.history, *experiments)}
    known = {"baseline", *finished, *(name for m in memories for name in (m.id, m.proposal_id or m.id))}
    faults = []
    for claim in claims:
        told = [f for f in facts if claim.trial in f.names and claim.trial in known]
        values = [value for fact in told for value in fact.values.get(claim.metric, ())]
        if not told:
            faults.append(f"claims: {claim.trial} is no finished trial")
        elif not values:
            faults.append(f"claims: {claim.trial} has no {claim.metric}")
        elif not any(right(_written(claim.value), value) for value in values):
            faults.append(f"claims: {claim.trial} gave {claim.metric} {values[0]:.5g}, not {claim.value:g}")
    return faults


def _values(metric: str, text: str) -> Iterator[tuple[str, str]]:
    """(number, percent sign) of each value that is claimed for the metric."""
    for found in re.finditer(rf"(?<![\w.]){re.escape(metric)}\b{LINK}{NUMBER}{AFTER}", text, re.IGNORECASE):
        yield found[1], (found[2] or "").strip()


def _gave(fact: Fact, metric: str, number: str, percent: str = "") -> bool:
    values = fact.values.get(metric, ())
    if percent and any(right(f"{number}.0" if "." not in number else number, 100 * value) for value in values):
        return True
    return any(right(number, value) for value in values)


def _of_another(sentence: str, metric: str, number: str, percent: str, case: Case, facts: Sequence[Fact]) -> str:
    """The fault of one result that is told of a configuration in which no trial gave it."""
    named = {name: values for name in case.space.names if len(values := _settings(name, sentence, case)) == 1}
    if not named or ID.search(sentence):
        return ""
    fits = [f for f in facts if all(_has(f, name, values[0]) for name, values in named.items())]
    if any(_gave(fact, metric, number, percent) for fact in fits):
        return ""
    where = ", ".join(f"{name}={values[0]}" for name, values in named.items())
    return f"no trial with {where} gave {metric} {number}{percent}{_nearest(number, metric, fits)}"


def _of_other_trials(clause: str, metrics: Sequence[str], facts: Sequence[Fact]) -> list[str]:
    """Faults of a clause that names one trial and gives it a result of another."""
    ids = list(dict.fromkeys(ID.findall(clause)))
    told = [fact for fact in facts if len(ids) == 1 and any(name.startswith(ids[0]) for name in fact.names)]
    if not told or re.search(r"\bbaseline\b|\bpredict|\bexpect", clause, re.IGNORECASE):
        return []
    faults = [
        f"{ids[0]} did not give {metric} {number}{percent}{_nearest(number, metric, told)}"
        for metric in metrics
        for number, percent in _values(metric, clause)
        if not any(_gave(fact, metric, number, percent) for fact in told)
    ]
    for found in re.finditer(rf"{ids[0]}{REACHED}{NUMBER}{AFTER}", clause):
        number, percent = found[1], (found[2] or "").strip()
        if not any(_gave(fact, metric, number, percent) for fact in told for metric in fact.values):
            faults.append(f"{ids[0]} did not reach {number}{percent}{_nearest(number, metrics[0], told)}")
    return faults


def _settings(name: str, text: str, case: Case) -> list[str]:
    """The values that the text gives a parameter: numbers, or options that it has."""
    options = [str(option) for option in case.campaign.space[name].get("options", ())]
    value = "|".join(map(re.escape, options)) if options else NUMBER.strip("()")
    return list(
        dict.fromkeys(
            found[1].rstrip(".")
            for found in re.finditer(
                rf"(?<![\w.]){re.escape(name)}\b[`'\"]?\s*(?:=|:|of|is|at)?\s*[`'\"]?({value})(?![\w%])", text
            )
        )
    )


def _has(fact: Fact, name: str, said: str) -> bool:
    value = fact.config.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return right(said, float(value)) or float(said) == float(value)
    return str(value) == said


def _nearest(number: str, metric: str, facts: Sequence[Fact]) -> str:
    """The known value nearest to what was said, with who gave it: that is what the model may say instead."""
    told = [
        (abs(value - float(number)), fact.names[0], value) for fact in facts for value in fact.values.get(metric, ())
    ]
    if not told:
        return ""
    _, name, value = min(told)
    return f"; {name} gave {value:.5g}"


def _written(value: float) -> str:
    """As many digits as the claim has; a whole number is exact."""
    return repr(float(value))
