"""Checks of what a language model says against what is known: names that do not exist, results that never were.

Each answers with faults as sentences, which are sent back to the model; what stays faulty is not used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agents.roles import Case
from core.records import Config, Experiment

__all__ = ["false_claims", "judged", "unknown_ids", "unknown_names"]

QUOTED = re.compile(r"[`'\"]([A-Za-z_][\w.\-]{1,60})[`'\"]")
ID = re.compile(r"\b[pt]-[0-9a-f]{6,12}\b")
CLAIM = r"\s*(?:score|value)?\s*(?:of|is|was|=|:|at|reached|reaches|to)?\s*(-?\d+\.\d+|-?\d+)(?![\w.]*%)"
"""What may stand between a metric's name and the number that is claimed for it."""
TOLERANCE = 0.005
"""Relative; a number is also right when it is the known one rounded to as many digits as it has."""


def judged(text: str, case: Case, shown: Iterable[str] = (), experiments: Sequence[Experiment] = ()) -> list[str]:
    """All faults of a sentence about this case.  `shown` are further ids and names that the model was told of."""
    shown = tuple(shown)
    ids = {*shown, *(e.proposal.id for e in experiments)}
    return [
        *unknown_names(text, case, ids),
        *unknown_ids(ID.findall(text), case, ids),
        *false_claims(text, case, experiments),
    ]


def unknown_names(text: str, case: Case, shown: Iterable[str] = ()) -> list[str]:
    """Names in quotes or backticks that are no parameter, option, metric, id or role of this campaign."""
    known = {
        *case.space.names,
        *_metrics(case),
        *shown,
        "explore",
        "exploit",
        "recover",
        "baseline",
        case.campaign.name,
    }
    known |= {str(v) for spec in case.campaign.space.values() for v in spec.get("options", ())}
    known |= {str(v) for config in _configs(case) for v in config.values()}
    known |= {e.proposal.id for e in case.history} | {p.id for p in case.proposals}
    odd = [name for name in dict.fromkeys(QUOTED.findall(text)) if name not in known and not ID.fullmatch(name)]
    return [f"there is no {name!r} in this campaign" for name in odd]


def unknown_ids(ids: Iterable[str], case: Case, shown: Iterable[str] = ()) -> list[str]:
    """Ids of trials and memories that nobody was told of."""
    known = {*(e.proposal.id for e in case.history), *(p.id for p in case.proposals), *shown}
    return [f"there is no trial or memory {name}" for name in dict.fromkeys(ids) if name not in known]


def false_claims(text: str, case: Case, experiments: Sequence[Experiment] = ()) -> list[str]:
    """Values of metrics in `text`, such as `auc 0.97` or `auc of 0.97`, that no trial and no prediction gave."""
    faults: list[str] = []
    for metric in _metrics(case):
        known = _values(metric, case, experiments)
        said = re.findall(rf"\b{re.escape(metric)}\b{CLAIM}", text, re.IGNORECASE)
        faults += [f"no trial gave {metric} {v}" for v in said if not any(_same(v, value) for value in known)]
    return faults


def _same(said: str, value: float) -> bool:
    digits = len(said.partition(".")[2])
    number = float(said)
    return round(value, digits) == number or abs(number - value) <= TOLERANCE * abs(value)


def _metrics(case: Case) -> list[str]:
    told = [case.campaign.objective.metric, *case.campaign.metrics, *(case.baseline.metrics if case.baseline else ())]
    return list(dict.fromkeys(told))


def _values(metric: str, case: Case, experiments: Sequence[Experiment]) -> list[float]:
    values = [e.outcome.metrics[metric] for e in (*case.history, *experiments) if metric in e.outcome.metrics]
    if case.baseline is not None and metric in case.baseline.metrics:
        values.append(case.baseline.metrics[metric])
    if metric == case.campaign.objective.metric:
        objective = case.campaign.objective
        values += [objective.value(p.expected.mean) for p in case.proposals if p.expected is not None]
        values += [objective.value(case.baseline.mean)] if case.baseline else []
    return values


def _configs(case: Case) -> list[Config]:
    told = [e.config for e in case.history] + [p.config for p in case.proposals]
    return [*told, case.campaign.baseline]
