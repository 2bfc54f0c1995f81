"""Statistics of texts."""

import re


def tokenize(text: str) -> list[str]:
    """Words in small letters."""
    words = []
    for word in re.findall(r"[A-Za-z]+", text):
        words.append(word.lower())
    return words


def letters(text: str) -> set[str]:
    return set(re.sub(r"[^a-z]", "", text))


def run(text: str) -> object:
    count = len(tokenize(text))
    distinct = len(set(tokenize(text)))
    longest = max(tokenize(text), key=len, default="")
    changed = tokenize(text)
    changed.append("end")
    return count, distinct, longest, changed, tokenize(text), sorted(letters(text)), sorted(letters(text))


def example():
    return ("The quick brown fox jumps over the lazy dog. " * 400,)
