"""Messages that differ in their values only are one message: masks, then a small tree of templates.

`masked` replaces what is a value by its shape (numbers, hashes, addresses, paths, quoted texts).  `Templates` joins
what masks leave apart, such as names: messages of equal length and first word whose words agree in a share of at least
SIMILAR become one template, with `<*>` where they differ.

Source: He, Zhu, Zheng & Lyu, Drain (ICWS 2017): fixed-depth tree, similarity of tokens, first match wins by similarity.
"""

from __future__ import annotations

import re

__all__ = ["Templates", "masked", "statement_template"]

SIMILAR = 0.6
MAX_CHARS = 400
MAX_WORDS = 60
MAX_GROUPS = 500
"""Templates under one first word and length; what is beyond goes to the nearest."""
ANY = "<*>"

MASKS = (
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"), "<time>"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b"), "<address>"),
    (re.compile(r"\b[a-z][a-z0-9+.-]{1,10}://[^\s\"'<>]+"), "<url>"),
    (re.compile(r"\"[^\"]{0,200}\"|(?<![\w])'[^']{0,200}'(?![\w])"), "<text>"),
    (re.compile(r"(?<![\w<])(?:/[\w.@-]+){2,}/?"), "<path>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b"), "<hex>"),
    (re.compile(r"\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{8,}\b"), "<hex>"),
    (re.compile(r"(?<![\w<])[-+]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?(?=\b|[a-z%])"), "<n>"),
    (re.compile(r"(?<=[A-Za-z_-])\d+\b"), "<n>"),
)
STATEMENT_MASKS = (
    (re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL), " "),
    (re.compile(r"'(?:[^']|'')*'"), "?"),
    (re.compile(r"(?<![\w$])[-+]?\d+(?:\.\d+)?\b"), "?"),
    (re.compile(r"(?<![\w:]):[A-Za-z_]\w*|%\(\w+\)s|%s|\$\d+|@\w+"), "?"),
    (re.compile(r"\(\s*\?(?:\s*,\s*\?)*\s*\)"), "(?)"),
)


def masked(message: str) -> str:
    """The first line of `message` with its values replaced by their shapes, at most MAX_CHARS long."""
    text = message.strip().split("\n", 1)[0][: 4 * MAX_CHARS]
    for pattern, shape in MASKS:
        text = pattern.sub(shape, text)
    return " ".join(text.split())[:MAX_CHARS]


def statement_template(statement: str) -> str:
    """A query without its values: literals, parameters and lists of them become `?`; upper and lower case are kept."""
    text = statement[: 4 * MAX_CHARS]
    for pattern, shape in STATEMENT_MASKS:
        text = pattern.sub(shape, text)
    return " ".join(text.split())[:MAX_CHARS]


class Templates:
    """Templates found so far.  `add` numbers them from 0; `text` gives one, which gets more general as more join it."""

    def __init__(self) -> None:
        self._words: list[list[str]] = []
        self._groups: dict[tuple[str, int, str], list[int]] = {}

    def add(self, message: str, scope: str = "") -> int:
        """The number of the template of `message`, which is masked.  Messages of different scopes never join."""
        words = message.split()[:MAX_WORDS] or [""]
        first = words[0] if "<" not in words[0] else ANY
        group = self._groups.setdefault((scope, len(words), first), [])
        best, best_share = -1, 0.0
        for number in group:
            share = _agreement(self._words[number], words)
            if share > best_share:
                best, best_share = number, share
        if best >= 0 and (best_share >= SIMILAR or len(group) >= MAX_GROUPS):
            kept = self._words[best]
            self._words[best] = [a if a == b else ANY for a, b in zip(kept, words, strict=True)]
            return best
        self._words.append(list(words))
        group.append(len(self._words) - 1)
        return len(self._words) - 1

    def text(self, number: int) -> str:
        return " ".join(self._words[number])


def _agreement(template: list[str], words: list[str]) -> float:
    """The share of words that agree; what is already a value agrees with nothing, so templates do not swallow all."""
    return sum(a == b for a, b in zip(template, words, strict=True)) / len(words)
