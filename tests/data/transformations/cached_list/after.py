"""Statistics of texts."""

import functools
import re


@functools.lru_cache(maxsize=1024)
def _tokenize_once(text: str) -> list[str]:
    """Words in small letters."""
    words = []
    for word in re.findall(r"[A-Za-z]+", text):
        words.append(word.lower())
    return words


def tokenize(text: str) -> list[str]:
    """Words in small letters."""
    return list(_tokenize_once(text))


@functools.lru_cache(maxsize=1024)
def _letters_once(text: str) -> set[str]:
    return set(re.sub(r"[^a-z]", "", text))


def letters(text: str) -> set[str]:
    return set(_letters_once(text))


def run(text: str) -> object:
    count = len(tokenize(text))
    distinct = len(set(tokenize(text)))
    longest = max(tokenize(text), key=len, default="")
    changed = tokenize(text)
    changed.append("end")
    return count, distinct, longest, changed, tokenize(text), sorted(letters(text)), sorted(letters(text))


def example():
    return ("The quick brown fox jumps over the lazy dog. " * 400,)
