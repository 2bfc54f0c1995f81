"""Words and numbers of a text."""

from __future__ import annotations

import re

_NUMBER_PATTERN_2 = re.compile(r".*\d")

_NUMBER_PATTERN = re.compile(r"(\d+)")

_CLEAN_PATTERN_2 = re.compile(r"[^\w ]", re.ASCII)

_CLEAN_PATTERN = re.compile(r"\s+")

_WORDS_PATTERN = re.compile(r"[a-z]+", re.IGNORECASE)


def words(text: str) -> list[str]:
    return _WORDS_PATTERN.findall(text)


def clean(text: str) -> str:
    text = _CLEAN_PATTERN.sub(" ", text)
    return _CLEAN_PATTERN_2.sub("", text)


class Reader:
    def number(self, text: str) -> int:
        pattern = _NUMBER_PATTERN
        match = pattern.search(text)
        return int(match.group(1)) if match and _NUMBER_PATTERN_2.match(text) else 0


def run(texts: list[str]) -> object:
    return [(words(text), clean(text), Reader().number(text)) for text in texts]


def example():
    return ([f"Line {i}: ok!" for i in range(2000)],)
