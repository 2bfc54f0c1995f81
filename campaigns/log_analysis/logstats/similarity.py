"""How far words and messages are from one another."""

from __future__ import annotations

from collections.abc import Sequence


def edit_distance(a: str, b: str) -> int:
    """The fewest insertions, deletions and replacements of one character that turn `a` into `b` (Levenshtein, 1966)."""
    if not a:
        return len(b)
    if not b:
        return len(a)
    if a[0] == b[0]:
        return edit_distance(a[1:], b[1:])
    return 1 + min(edit_distance(a[1:], b), edit_distance(a, b[1:]), edit_distance(a[1:], b[1:]))


def nearest(word: str, known: Sequence[str], most: int) -> str | None:
    """The known word with the smallest distance, the first of equals; None if it is farther than `most` edits."""
    best = None
    least = most + 1
    for candidate in known:
        if abs(len(candidate) - len(word)) > most:
            continue
        distance = edit_distance(word, candidate)
        if distance < least:
            best = candidate
            least = distance
    return best


def overlap(a: str, b: str) -> float:
    """Shared words by all words (Jaccard, 1901), 0 to 1; two empty texts are equal."""
    first = set(a.lower().split())
    second = set(b.lower().split())
    if not first and not second:
        return 1.0
    return len(first & second) / len(first | second)


def similar_pairs(texts: Sequence[str], least: float) -> list[tuple[str, str, float]]:
    """Pairs of texts with an overlap of at least `least`, the most alike first, then in order of the texts."""
    pairs = []
    for i, a in enumerate(texts):
        for b in texts[i + 1 :]:
            if overlap(a, b) >= least:
                pairs.append((a, b, overlap(a, b)))
    return sorted(pairs, key=lambda pair: -pair[2])
