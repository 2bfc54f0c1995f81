"""Words and runs of words in messages."""

from __future__ import annotations

import re
from collections.abc import Iterable

STOP_WORDS = [
    "a", "about", "after", "all", "also", "an", "and", "any", "are", "as", "at", "be", "because", "been",
    "before", "but", "by", "can", "could", "did", "do", "does", "for", "from", "had", "has", "have", "if", "in",
    "into", "is", "it", "its", "may", "more", "no", "not", "of", "on", "or", "other", "our", "over", "since",
    "so", "some", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "to", "too",
    "until", "up", "was", "we", "were", "what", "when", "where", "which", "while", "who", "will", "with",
    "would", "you", "your",
]  # fmt: skip
"""Words that say nothing about a message."""


def words_of(text: str) -> list[str]:
    """The words of a text in lower case and in order, without stop words and words of one or two letters."""
    words = []
    for word in re.findall(r"[A-Za-z]+(?:[-'][A-Za-z]+)*", text):
        if word.lower() not in STOP_WORDS and len(word) > 2:
            words.append(word.lower())
    return words


def word_counts(texts: Iterable[str]) -> dict[str, int]:
    """How often each word occurs in all texts together, words in order of their first use."""
    words = []
    for text in texts:
        for word in words_of(text):
            words.append(word)
    counts = {}
    for word in words:
        if word not in counts:
            counts[word] = words.count(word)
    return counts


def ngrams(text: str, n: int) -> list[str]:
    """Runs of `n` words that follow one another, with a blank between them."""
    words = words_of(text)
    found = []
    while len(words) >= n:
        found.append(" ".join(words[:n]))
        words.pop(0)
    return found


def ngram_counts(texts: Iterable[str], n: int) -> dict[str, int]:
    """How often each run of `n` words occurs, runs in order of their first use; runs do not span two texts."""
    counts: dict[str, int] = {}
    for text in texts:
        for gram in ngrams(text, n):
            if gram not in counts:
                counts[gram] = 0
            counts[gram] += 1
    return counts
