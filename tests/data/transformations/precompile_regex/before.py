"""Words and numbers of a text."""

from __future__ import annotations

import re


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text, re.IGNORECASE)


def clean(text: str) -> str:
    text = re.sub(r"\s+", " ", text)
    return re.sub(r"[^\w ]", "", text, flags=re.ASCII)


class Reader:
    def number(self, text: str) -> int:
        pattern = re.compile(r"(\d+)")
        match = pattern.search(text)
        return int(match.group(1)) if match and re.match(r".*\d", text) else 0


def run(texts: list[str]) -> object:
    return [(words(text), clean(text), Reader().number(text)) for text in texts]


def example():
    return ([f"Line {i}: ok!" for i in range(2000)],)
