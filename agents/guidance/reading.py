"""A sentence of guidance → what it means in this campaign, and the clauses that no rule understands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from agents.guidance.clauses import NotUnderstoodError, clauses_of
from agents.guidance.sense import meanings_of
from agents.guidance.vocabulary import Vocabulary
from core.guidance import Meaning, Unread
from search.parameters import Choice, same

__all__ = ["Reading", "conflict", "read"]


@dataclass(frozen=True)
class Reading:
    """What was understood, and what was not."""

    meanings: tuple[Meaning, ...] = ()
    unread: tuple[Unread, ...] = ()


def read(text: str, vocabulary: Vocabulary) -> Reading:
    """The meanings of a text, clause by clause, in order.  Clauses that contradict one another are all unread."""
    meanings: list[Meaning] = []
    unread: list[Unread] = []
    for clause in clauses_of(text, vocabulary):
        try:
            for meaning in meanings_of(clause, vocabulary):
                _add(meanings, meaning)
        except NotUnderstoodError as error:
            unread.append(Unread(clause=clause.text, reason=error.reason, hint=error.hint))
    return _consistent(_spelled(meanings, vocabulary), unread, vocabulary)


def conflict(one: Meaning, other: Meaning) -> bool:
    """Whether both cannot be followed."""
    if one.kind == other.kind == "mode":
        return one.mode != other.mode
    if (one.target, one.name) != (other.target, other.name) or "mode" in (one.kind, other.kind):
        return False
    if "focus" in (one.kind, other.kind):
        return "exclusion" in (one.kind, other.kind)  # a file that must not be touched, worked on first
    if one.toward and other.toward:
        return one.toward != other.toward
    if one.target != "parameter":
        return (one.kind == "exclusion") != (other.kind == "exclusion")
    if one.kind == other.kind == "exclusion":
        return False
    if _has_interval(one) and _has_interval(other) and "exclusion" not in (one.kind, other.kind):
        return _disjoint(one, other)
    for wanted, limit in ((one, other), (other, one)):
        if wanted.kind == "preference" and wanted.options and limit.kind != "preference":
            return not any(_passes(value, limit) for value in wanted.options)
    return False


def _has_interval(meaning: Meaning) -> bool:
    return meaning.low is not None or meaning.high is not None


def _disjoint(one: Meaning, other: Meaning) -> bool:
    lows = [m.low for m in (one, other) if m.low is not None]
    highs = [m.high for m in (one, other) if m.high is not None]
    return bool(lows and highs) and max(lows) > min(highs)


def _passes(value: Any, limit: Meaning) -> bool:
    """Whether a value keeps a bound or an exclusion."""
    if limit.options:
        return not any(same(value, option) for option in limit.options)
    inside = _within(value, limit)
    return not inside if limit.kind == "exclusion" else inside


def _within(value: Any, limit: Meaning) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return True
    return (limit.low is None or value >= limit.low) and (limit.high is None or value <= limit.high)


def _add(meanings: list[Meaning], meaning: Meaning) -> None:
    """Two of one kind about one thing become one, where both can hold."""
    for i, earlier in enumerate(meanings):
        alike = (earlier.kind, earlier.target, earlier.name) == (meaning.kind, meaning.target, meaning.name)
        if not alike or (earlier.toward, earlier.mode) != (meaning.toward, meaning.mode):
            continue
        if earlier == meaning.model_copy(update={"clause": earlier.clause}):
            return
        told = earlier.clause if earlier.clause == meaning.clause else f"{earlier.clause} … {meaning.clause}"
        if earlier.options and meaning.options:
            extra = tuple(o for o in meaning.options if not any(same(o, known) for known in earlier.options))
            meanings[i] = earlier.model_copy(update={"options": (*earlier.options, *extra), "clause": told})
            return
        if meaning.kind == "bound" and not _disjoint(earlier, meaning):
            lows = [m.low for m in (earlier, meaning) if m.low is not None]
            highs = [m.high for m in (earlier, meaning) if m.high is not None]
            low, high = max(lows, default=None), min(highs, default=None)
            meanings[i] = earlier.model_copy(update={"low": low, "high": high, "clause": told})
            return
    meanings.append(meaning)


def _spelled(meanings: Sequence[Meaning], vocabulary: Vocabulary) -> list[Meaning]:
    """`!name`, what alone is allowed, as the exclusion of the rest."""
    out: list[Meaning] = []
    allowed = {(m.target, m.name[1:]) for m in meanings if m.name.startswith("!")}
    spelled: set[str] = set()
    for meaning in meanings:
        if not meaning.name.startswith("!"):
            out.append(meaning)
        elif meaning.target == "parameter":
            name = meaning.name[1:]
            assert vocabulary.space is not None
            parameter = vocabulary.space[name]
            assert isinstance(parameter, Choice)
            rest = tuple(o for o in parameter.options if not any(same(o, kept) for kept in meaning.options))
            out.append(meaning.model_copy(update={"name": name, "options": rest}))
        elif meaning.target not in spelled:
            spelled.add(meaning.target)
            every = vocabulary.files if meaning.target == "file" else vocabulary.operators
            others = [name for name in every if (meaning.target, name) not in allowed]
            out += [meaning.model_copy(update={"name": name}) for name in others]
    return out


def _consistent(meanings: Sequence[Meaning], unread: list[Unread], vocabulary: Vocabulary) -> Reading:
    """The reading without what contradicts itself, and without exclusions that leave nothing or exclude nothing."""
    at_odds = {
        id(m)
        for i, one in enumerate(meanings)
        for other in meanings[i + 1 :]
        if conflict(one, other)
        for m in (one, other)
    }
    kept: list[Meaning] = []
    for meaning in meanings:
        if id(meaning) in at_odds:
            unread.append(Unread(clause=meaning.clause, reason="it contradicts another part of the sentence"))
        elif (fault := _useless(meaning, vocabulary)) is not None:
            unread.append(Unread(clause=meaning.clause, reason=fault))
        else:
            kept.append(meaning)
    return Reading(tuple(kept), tuple(_once(unread)))


def _useless(meaning: Meaning, vocabulary: Vocabulary) -> str | None:
    if meaning.kind != "exclusion" or meaning.target != "parameter" or _has_interval(meaning):
        return None
    assert vocabulary.space is not None
    parameter = vocabulary.space[meaning.name]
    if not meaning.options:
        return f"all of {meaning.name} is within that already"
    every = parameter.options if isinstance(parameter, Choice) else range(int(parameter.low), int(parameter.high) + 1)
    if all(any(same(o, out) for out in meaning.options) for o in every):
        return f"nothing of {meaning.name} would be left"
    return None


def _once(unread: Iterable[Unread]) -> list[Unread]:
    return list(dict.fromkeys(unread))
