"""Words of a function's code, each with the field it stands in: what a summary can be checked against."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable

from agents.feedback.fact_records import FunctionFacts
from agents.feedback.words import STOP_WORDS, content, identifier_parts, segment, stem, words

__all__ = ["FIELD_WEIGHTS", "code_words", "comments"]

FIELD_WEIGHTS = {"name": 3.0, "param": 1.5, "call": 1.2, "type": 1.0, "body": 1.0, "text": 0.7}
"""How much a word says about what the function does, by where it stands; a word counts in its strongest field."""

_COMMENT = re.compile(r"(?:^|\s)#\s?(.*)$", re.MULTILINE)


def comments(source: str) -> str:
    """Text of the `#` comments of `source` (a `#` within a string may slip in; it is only a source of words)."""
    return "\n".join(_COMMENT.findall(source))


def code_words(facts: FunctionFacts, source: str, vocabulary: Container[str]) -> dict[str, float]:
    """Stem → weight of its strongest field. Compound parts are cut where `vocabulary` knows the pieces."""
    found: dict[str, float] = {}

    def add(field: str, names: Iterable[str]) -> None:
        weight = FIELD_WEIGHTS[field]
        for name in names:
            for part in identifier_parts(name):
                for piece in (part, *segment(part, vocabulary)):
                    if len(piece) > 1 and found.get(key := stem(piece), 0.0) < weight:
                        found[key] = weight

    add("name", [facts.name])
    add("param", (param.name for param in facts.visible_params))
    add("call", (call.name.rsplit(".", 1)[-1] for call in facts.calls))
    add("type", (param.annotation or "" for param in facts.params))
    add("type", [facts.returns_annotation or "", *(raised.exception for raised in facts.raised)])
    add("body", (name for name in facts.names if name not in STOP_WORDS))
    prose = [comments(source), *facts.strings]
    for key in content(words(" ".join(prose)[:4000])):
        found.setdefault(key, FIELD_WEIGHTS["text"])
    return found
