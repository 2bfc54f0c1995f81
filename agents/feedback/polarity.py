"""Claims whose words fit the code but whose sense is turned round: negated verbs, antonyms, absence that is not so.

A score of word fit cannot see them, because every word is right; only these few forms are mechanical.
"""

from __future__ import annotations

import re

from agents.feedback.claims import Claim
from agents.feedback.summary_fit import Reading, name_stems
from agents.feedback.words import content, identifier_parts, stem, words

__all__ = ["polarity_claims"]

_NEGATED = re.compile(
    r"^\W*(?:(?:it|this|the (?:function|method)|this (?:function|method))\s+)?"
    r"(?:does\s+not|doesn't|do\s+not|don't|never|no\s+longer|cannot|can't|fails\s+to|refuses\s+to|avoids)\s+(?:ever\s+)?(\w+)",
    re.IGNORECASE,
)
_NEGATIVE_NAME = frozenset([
    "no", "not", "non", "skip", "ignore", "never", "disable", "without", "suppress", "avoid", "prevent", "forbid",
    "un"
])  # fmt: skip
_ANTONYMS = tuple(
    tuple(pair.split("/"))
    for pair in [
        "add/remove", "add/delete", "insert/delete", "insert/remove", "append/prepend", "append/remove", "push/pop",
        "attach/detach", "open/close", "start/stop", "begin/end", "start/end", "start/finish", "first/last",
        "read/write", "load/save", "load/dump", "loads/dumps", "encode/decode", "encrypt/decrypt",
        "compress/decompress", "quote/unquote", "escape/unescape", "lower/upper", "min/max", "minimum/maximum",
        "smallest/largest", "least/greatest", "low/high", "left/right", "before/after", "enable/disable",
        "include/exclude", "lock/unlock", "create/delete", "create/destroy", "increase/decrease",
        "increment/decrement", "ascending/descending", "forward/backward", "import/export", "show/hide",
        "accept/reject", "allow/deny", "allow/forbid", "input/output", "client/server", "parent/child",
        "source/destination", "pack/unpack", "subscribe/unsubscribe", "register/unregister", "connect/disconnect",
        "send/receive", "true/false", "floor/ceiling", "floor/ceil", "head/tail", "next/previous", "next/prev",
        "top/bottom", "expand/collapse", "merge/split", "mount/unmount", "bind/unbind", "serialize/deserialize",
        "horizontal/vertical", "rows/columns", "row/column", "ancestor/descendant", "predecessor/successor",
        "import/export", "dense/sparse", "public/private", "sync/async", "local/remote"
    ]
)  # fmt: skip
_ABSENCE = (
    (re.compile(r"\b(?:no|without(?: any)?)\s+side[- ]effects?|\bis (?:a )?pure\b", re.IGNORECASE), "effects"),
    (re.compile(r"\b(?:never|does not|doesn't) raises?\b(?! if)", re.IGNORECASE), "raised"),
    (re.compile(r"\b(?:never|does not|doesn't) (?:modify|modifies|mutate|change)s?\b[^.]{0,25}"
                r"\b(?:argument|input|self|instance)", re.IGNORECASE), "mutation"),
)  # fmt: skip


def polarity_claims(reading: Reading) -> list[Claim]:
    """Contradicted or unsupported claims that a reversed sense makes; empty for most texts."""
    return [*_negation(reading), *_antonyms(reading), *_absence(reading)]


def _negation(reading: Reading) -> list[Claim]:
    match = _NEGATED.match(reading.lead)
    if match is None:
        return []
    facts = reading.facts
    if _NEGATIVE_NAME & set(identifier_parts(facts.name)):
        return []
    verb = stem(match[1].lower())
    names = name_stems(facts, reading.lexicon)
    named = any(name == verb or reading.lexicon.translation(name, verb) > 0.05 for name in names)
    does = (
        named
        or verb in reading.code
        or (match[1].lower() == "return" and facts.returns_value)
        or (match[1].lower() == "raise" and bool(facts.raised))
        or (match[1].lower() in ("set", "change", "modify", "update", "write") and bool(facts.effects))
    )
    evidence = (
        f"the function {facts.name} does {match[1]}" if does else "the summary says what the function does not do"
    )
    return [
        Claim(
            kind="summary", text=match[0].strip(), status="contradicted" if does else "unsupported", line=facts.line,
            evidence=evidence, fix="say what the function does", doubt=None if does else 0.7,
        )
    ]  # fmt: skip


def _antonyms(reading: Reading) -> list[Claim]:
    said = set(content(words(reading.prose)))
    lead = set(content(words(reading.lead)))
    own_name = set(name_stems(reading.facts, reading.lexicon)) | {stem(p) for p in identifier_parts(reading.facts.name)}
    for pair in _ANTONYMS:
        for word, other in (pair, pair[::-1]):
            claimed, opposite = stem(word), stem(other)
            if claimed not in lead or opposite in said or claimed in reading.code or opposite not in reading.code:
                continue
            in_name = opposite in own_name
            return [
                Claim(
                    kind="summary", text=word, status="unsupported", line=reading.facts.line,
                    evidence=f"the {'name' if in_name else 'code'} says {other!r} and nowhere {word!r}",
                    fix=f"check whether {other!r} is meant", doubt=0.9 if in_name else 0.4,
                )
            ]  # fmt: skip
    return []


def _absence(reading: Reading) -> list[Claim]:
    facts = reading.facts
    found = []
    for pattern, what in _ABSENCE:
        match = pattern.search(reading.prose)
        if match is None:
            continue
        effects = [e for e in facts.effects if what != "mutation" or e.kind in ("attribute", "argument")]
        lines = [each.line for each in facts.raised] if what == "raised" else [each.line for each in effects]
        proof = f"line {lines[0]} does" if lines else ""
        found.append(
            Claim(
                kind="absence", text=match[0].strip(), status="contradicted" if lines else "unverifiable",
                line=lines[0] if lines else facts.line, evidence=proof, fix="drop the claim" if lines else "",
            )
        )  # fmt: skip
    return found
