"""Sentences as clauses: what stands between two separators, with what it takes over from the clause before it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from agents.guidance.items import Item, items_of
from agents.guidance.tokens import tokenize
from agents.guidance.vocabulary import Vocabulary

__all__ = ["AVOIDING", "Clause", "NotUnderstoodError", "clauses_of"]

SENTENCE = re.compile(r"(?<=[.!?;])\s+|[;\n]")
ACTS = ("verb", "negation", "only", "mode", "size", "shift", "excess")
"""Kinds of items with which a clause says itself what is to be done."""
AVOIDING = ("avoid", "drop", "leave")
"""Verbs that may say that something is not to be had."""
LIMITS = ("compare", "range", "or_more")
PREDICATES = ("compare", "range", "number", "or_more", "equal", "boolean")


class NotUnderstoodError(Exception):
    """Why a clause says nothing to the rules, and what is nearest to it."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@dataclass
class Clause:
    """`fault`, when it is not understood already; `carried`: it took over its polarity from the clause before."""

    text: str
    items: list[Item]
    fault: NotUnderstoodError | None = None
    carried: bool = False
    context: list[Item] = field(default_factory=list)
    """The names of the clauses before it that it goes on from."""

    def has(self, *kinds: str) -> bool:
        return any(item.kind in kinds for item in self.items)

    def of(self, kind: str) -> list[Item]:
        return [item for item in self.items if item.kind == kind]


def clauses_of(text: str, vocabulary: Vocabulary) -> list[Clause]:
    """The clauses of a text, in order."""
    return [clause for sentence in _sentences(text) for clause in _clauses(sentence, vocabulary)]


def _sentences(text: str) -> Iterator[str]:
    for part in SENTENCE.split(text):
        if part.strip(" .!;\t"):
            yield part.strip()


def _clauses(sentence: str, vocabulary: Vocabulary) -> list[Clause]:
    items = items_of(tokenize(sentence), vocabulary)
    for item in items:
        if item.kind == "question":
            return [_unread(sentence, "a question asks for nothing to be done", "say what is to be done")]
        if item.kind == "condition":
            reason = f"conditions are not followed ({item.text!r})"
            return [_unread(sentence, reason, "say it without one, when the time has come")]
    if not items:
        return [_unread(sentence, "it names nothing of this campaign")]
    return _carried(list(_segments(sentence, items)))


def _unread(text: str, reason: str, hint: str = "") -> Clause:
    return Clause(text, [], NotUnderstoodError(reason, hint))


def _segments(sentence: str, items: Sequence[Item]) -> Iterator[tuple[str, Clause]]:
    """(separator before it, clause), reasons left out, what belongs to one predicate in one."""
    parts: list[tuple[str, list[Item]]] = [("", [])]
    for item in items:
        if item.kind == "separator":
            if parts[-1][1]:
                parts.append((str(item.value), []))
            elif parts[-1][0] in ("", ","):
                parts[-1] = (str(item.value), [])
        else:
            parts[-1][1].append(item)
    parts = [(separator, told) for separator, told in _without_reasons(parts) if told]
    at = 0
    while at < len(parts):
        separator, told = parts[at]
        at += 1
        while at < len(parts) and parts[at][0] in ("and", "or", ",") and _waits(told) and _completes(parts[at][1]):
            told = [*told, *parts[at][1]]
            at += 1
        yield separator, Clause(_between(sentence, items, told[0].start, told[-1].end), told)


def _between(sentence: str, items: Iterable[Item], start: int, end: int) -> str:
    """The text around a part of the sentence, from the separator before it to the one after."""
    separators = [item for item in items if item.kind == "separator"]
    first = max((item.end for item in separators if item.end <= start), default=0)
    last = min((item.start for item in separators if item.start >= end), default=len(sentence))
    return sentence[first:last].strip(" ,.;!")


def _without_reasons(parts: Iterable[tuple[str, list[Item]]]) -> Iterator[tuple[str, list[Item]]]:
    """What follows `because` is not asked for, up to the next clause that says what to do."""
    inside = False
    for separator, told in parts:
        cut = next((i for i, item in enumerate(told) if item.kind == "because"), None)
        if inside and not any(item.kind == "verb" for item in told):
            continue
        inside = cut is not None
        yield separator, told if cut is None else told[:cut]


def _waits(told: Sequence[Item]) -> bool:
    """Whether it names parameters, or a number, and nothing is said of them yet."""
    kinds = {item.kind for item in told if item.kind not in ("fill", "noun", "state", "permit", "about")}
    names = [item for item in told if item.kind == "name"]
    verbs = {item.value for item in told if item.kind == "verb"}
    if not kinds <= {"verb", "name", "number", "negation", "only"} or verbs & {"focus", "enable", "disable", "improve"}:
        return False
    if names and "number" not in kinds:
        return all(any(thing.target == "parameter" for thing in item.value) for item in names) and not _is_option(names)
    return not names and "number" in kinds


def _is_option(names: Sequence[Item]) -> bool:
    """Whether a parameter is followed by one of its own options: then it waits for nothing."""
    return any(
        later.target == "option" and any(earlier.name == later.name for earlier in before.value)
        for before, item in pairwise(names)
        for later in item.value
    )


def _completes(told: Sequence[Item]) -> bool:
    """Whether it says, of something that it names itself, what the clause before it still lacks."""
    acts = {item.kind for item in told} & {*ACTS} - {"size", "excess"}
    if acts or not any(item.kind == "name" for item in told):
        return False
    numeric = any(thing.target == "parameter" for item in told if item.kind == "name" for thing in item.value)
    return numeric and any(item.kind in (*PREDICATES, "size", "excess") for item in told)


def _denied(clause: Clause) -> bool:
    """Whether it says what is not to be: then `or` means neither."""
    return clause.has("negation") or any(verb.value in AVOIDING for verb in clause.of("verb"))


def _carried(segments: Sequence[tuple[str, Clause]]) -> list[Clause]:
    """Each clause with the verb, the polarity and the names that it takes over."""
    out: list[Clause] = []
    for separator, clause in segments:
        before = out[-1] if out else None
        if before is None or clause.has("unknown"):
            out.append(clause)
            continue
        clause.context = before.of("name") or before.context
        if separator == "or" and clause.has(*LIMITS) and before.has(*LIMITS) and not _denied(before):
            before.fault = clause.fault = NotUnderstoodError("one or the other cannot be asked for", "say one of them")
        acts = clause.has(*ACTS)
        if not acts and separator != "but":
            taken = [item for item in before.items if item.kind in ("verb", "negation", "only", "first", "hedge")]
            if clause.has("name", "number", "compare", "range"):
                clause.items = [*taken, *clause.items]
                clause.carried = any(i.kind == "negation" or i.value in AVOIDING for i in taken)
                if clause.carried and clause.has("compare", "range", "or_more") and not before.has("compare", "range"):
                    hint = "say it in a sentence of its own"
                    clause.fault = NotUnderstoodError("whether this is to be avoided too is not clear", hint)
        if clause.has("compare", "range", "or_more") and not clause.has("name"):
            clause.items = [*(item for item in clause.context if item.kind == "name"), *clause.items]
        out.append(clause)
    return out
