"""What no rule understands, asked of a language model; its answer counts as far as the campaign knows what it names."""

from __future__ import annotations

import json
from collections.abc import Iterator

from agents import briefing
from agents.answers import GuidanceAnswer, MeaningAnswer
from agents.asking import ask
from agents.guidance import numbers
from agents.guidance.clauses import NotUnderstoodError
from agents.guidance.reading import Reading, conflict
from agents.guidance.vocabulary import Vocabulary
from agents.roles import Kit
from core.errors import ConfigError, nearest
from core.guidance import Meaning
from search.parameters import Choice

__all__ = ["meaning_of", "read_with_model"]

HARD = ("bound", "exclusion")


async def read_with_model(reading: Reading, vocabulary: Vocabulary, kit: Kit) -> Reading:
    """The reading with what the model makes of its unread clauses; as it is where there is no model, or no answer.

    The model is not asked about what the rules understood.  Names and values that do not exist are sent back.
    """
    if kit.model is None or not reading.unread:
        return reading
    clauses = [one.clause for one in reading.unread]

    def faults(answer: GuidanceAnswer) -> list[str]:
        told: list[str] = []
        made: list[Meaning] = list(reading.meanings)
        for number, one in enumerate(answer.meanings, 1):
            try:
                meaning = meaning_of(one, clauses, vocabulary)
            except (NotUnderstoodError, ConfigError, ValueError) as error:
                told.append(f"meaning {number}: {_said(error)}")
                continue
            if any(conflict(meaning, other) for other in made):
                told.append(f"meaning {number}: it contradicts another")
            made.append(meaning)
        return told

    answer, _ = await ask(
        kit,
        "director/guidance",
        GuidanceAnswer,
        faults,
        names="\n".join(_lines(vocabulary)),
        clauses="\n".join(f"- {briefing.one_line(clause)}" for clause in clauses),
    )
    if answer is None:
        return reading
    made = [meaning_of(one, clauses, vocabulary) for one in answer.meanings]
    read = {meaning.clause for meaning in made}
    return Reading((*reading.meanings, *made), tuple(one for one in reading.unread if one.clause not in read))


def meaning_of(answer: MeaningAnswer, clauses: list[str], vocabulary: Vocabulary) -> Meaning:
    """One meaning of an answer, checked.  Raises NotUnderstoodError, ConfigError or ValueError with what is wrong."""
    clause = next((c for c in clauses if briefing.one_line(c) == answer.clause), None)
    if clause is None:
        raise NotUnderstoodError(f"{answer.clause!r} is none of the clauses")
    told = {"clause": clause, "source": "model"}
    if answer.kind == "mode":
        return Meaning(kind="mode", mode=answer.mode or "", **told)
    known = dict(_known(vocabulary))
    if answer.name not in known:
        raise NotUnderstoodError(f"there is no {answer.name!r}; {nearest(answer.name, known)}")
    target = known[answer.name]
    if answer.kind == "focus":
        goal = vocabulary.metrics.get(answer.name, "") if target == "metric" else ""
        toward = {"minimize": "low", "maximize": "high"}.get(goal, "")
        return Meaning(kind="focus", target=target, name=answer.name, toward=toward, **told)
    if target == "metric":
        raise NotUnderstoodError(f"{answer.name} is measured, not set")
    if target != "parameter":
        if answer.low is not None or answer.high is not None or answer.options or answer.toward:
            raise NotUnderstoodError(f"{answer.name} has no values")
        return Meaning(kind=answer.kind, target=target, name=answer.name, hard=answer.kind in HARD, **told)
    return _of_parameter(answer, vocabulary).model_copy(update=told)


def _of_parameter(answer: MeaningAnswer, vocabulary: Vocabulary) -> Meaning:
    assert vocabulary.space is not None
    name, parameter = answer.name, vocabulary.space[answer.name]
    options = tuple(parameter.canonical(option, name) for option in answer.options)
    if answer.kind == "bound":
        return numbers.bound(name, parameter, answer.low, answer.high)
    if answer.kind == "exclusion":
        if not options:
            raise NotUnderstoodError(f"it does not say which values of {name}")
        if isinstance(parameter, Choice) and len({*map(parameter.index, options)}) == len(parameter.options):
            raise NotUnderstoodError(f"nothing of {name} would be left")
        return Meaning(kind="exclusion", target="parameter", name=name, options=options, hard=True)
    if not options and not answer.toward:
        raise NotUnderstoodError(f"it does not say which value of {name}")
    if answer.toward and isinstance(parameter, Choice):
        raise NotUnderstoodError(f"{name} is no number")
    return Meaning(kind="preference", target="parameter", name=name, options=options, toward=answer.toward)


def _known(vocabulary: Vocabulary) -> Iterator[tuple[str, str]]:
    """(name, target); of a name that is several things the first."""
    yield from ((name, "operator") for name in reversed(vocabulary.operators))
    yield from ((name, "function") for name in reversed(vocabulary.functions))
    yield from ((name, "file") for name in reversed(vocabulary.files))
    yield from ((name, "metric") for name in vocabulary.metrics)
    yield from ((name, "parameter") for name in vocabulary.space or ())


def _lines(vocabulary: Vocabulary) -> Iterator[str]:
    for name in vocabulary.space or ():
        assert vocabulary.space is not None
        yield f"- parameter {name}: {vocabulary.space[name].allowed}"
    for name, goal in vocabulary.metrics.items():
        yield f"- metric {name}, to {goal}"
    for target, names in (
        ("file", vocabulary.files),
        ("function", vocabulary.functions),
        ("operator", vocabulary.operators),
    ):
        if names:
            yield f"- {target}s: {json.dumps(list(names)[:100])}"


def _said(error: Exception) -> str:
    if isinstance(error, ConfigError):
        return f"{error.what}; {error.hint}"
    return str(error).splitlines()[0]
