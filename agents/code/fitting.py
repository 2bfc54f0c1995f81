"""Where quoted lines fit into a file that does not hold them exactly.

Notation: q_1 … q_n the quoted lines, f_1 … f_m those of the file, blank lines left out on both sides; w(x) the length
of a line without its indentation, plus a constant; s(x, y) in 0 … 1 the difflib similarity of two lines, 0 below
LINE_SIMILARITY.  A fit pairs lines in order.  Its similarity is

    Σ s(q, f) (w(q) + w(f)) over the pairs  /  Σ w over all quoted lines and all lines of the file in the window

so lines that only one side has count against it.  The best pairing near a diagonal is found by dynamic programming
(a fitting alignment: the window may begin and end anywhere).  Diagonals come from lines that both sides have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from agents.code.lines import canonical, occurrences, squeezed

__all__ = ["LEAST_SIMILARITY", "Fit", "fuzzy_fits", "whitespace_fits"]

LEAST_SIMILARITY = 0.82
"""Measured by benchmarks/patches.py: below, it finds wrong places; of the right ones 3 % are lost."""
LINE_SIMILARITY = 0.6
GAP = 0.5
"""What an unpaired line costs the search, as a share of its weight."""
LONGEST_QUOTE = 400
COMMON = 20
"""A line that the file has more often says nothing about the place."""
DIAGONALS = 8
LONGEST_LINE = 200
WORK = 3_000_000
"""Pairs of characters that one search may compare, about a second; edits of real functions need a hundredth."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Pairs (index of the quoted line, index of the file's line), at least one, and the similarity in 0 … 1."""

    pairs: tuple[tuple[int, int], ...]
    similarity: float

    @property
    def start(self) -> int:
        return self.pairs[0][1]

    @property
    def end(self) -> int:
        return self.pairs[-1][1] + 1


def whitespace_fits(quoted: Sequence[str], lines: Sequence[str]) -> list[Fit]:
    """Every place where all quoted lines stand, if whitespace and blank lines do not count."""
    q, f = _Dense(quoted, squeezed), _Dense(lines, squeezed)
    if not q.texts:
        return []
    return [
        Fit(tuple(zip(q.places, f.places[at : at + len(q.texts)], strict=True)), 1.0)
        for at in occurrences(q.texts, f.texts)
    ]


def fuzzy_fits(quoted: Sequence[str], lines: Sequence[str]) -> list[Fit]:
    """Similar places, best first, without overlap; none for a quote of one line."""
    q, f = _Dense(quoted, canonical), _Dense(lines, canonical)
    if not 2 <= len(q.texts) <= LONGEST_QUOTE:
        return []
    slack = max(4, len(q.texts) // 4)
    alike = _Likeness()
    found = [fit for diagonal in _diagonals(q, f, slack) if (fit := _best(q, f, diagonal, slack, alike))]
    found.sort(key=lambda fit: (-fit.similarity, fit.start))
    apart: list[Fit] = []
    for fit in found:
        if all(fit.end <= o.start or o.end <= fit.start for o in apart):
            apart.append(fit)
    return apart


class _Dense:
    """The lines that are not blank, in a form to compare them in, with their places and weights."""

    def __init__(self, lines: Sequence[str], form: Callable[[str], str]) -> None:
        self.places = [at for at, line in enumerate(lines) if line.strip()]
        self.texts = [form(lines[at]) for at in self.places]
        self.weights = [len(text) + 4 for text in self.texts]


def _diagonals(q: _Dense, f: _Dense, slack: int) -> list[int]:
    """Differences of index at which quoted lines stand in the file, without those within `slack` of a better one."""
    where: dict[str, list[int]] = {text: [] for text in q.texts}
    for j, text in enumerate(f.texts):
        if text in where:
            where[text].append(j)
    votes: Counter[int] = Counter()
    for i, text in enumerate(q.texts):
        for j in where[text] if len(where[text]) <= COMMON else ():
            votes[j - i] += q.weights[i]
    kept: list[int] = []
    for diagonal, _ in sorted(votes.items(), key=lambda vote: (-vote[1], vote[0])):
        if all(abs(diagonal - other) > slack for other in kept):
            kept.append(diagonal)
    return kept[:DIAGONALS]


def _best(q: _Dense, f: _Dense, diagonal: int, slack: int, alike: _Likeness) -> Fit | None:
    """The best pairing whose indices differ by `diagonal`, give or take `slack`."""
    low = max(0, diagonal - slack)
    width = min(len(f.texts), diagonal + len(q.texts) + slack) - low
    if width <= 0:
        return None
    score = [0.0] * (width + 1)
    came: list[list[str]] = []
    for i, text in enumerate(q.texts):
        row, moves = [score[0] - GAP * q.weights[i], *[float("-inf")] * width], ["q"] * (width + 1)
        middle = i + diagonal - low
        for j in range(max(0, middle - slack), min(width, middle + slack + 1)):
            likeness = alike(text, f.texts[low + j])
            both = q.weights[i] + f.weights[low + j]
            pair = score[j] + likeness * both if likeness else float("-inf")
            options = (pair, score[j + 1] - GAP * q.weights[i], row[j] - GAP * f.weights[low + j])
            best = max(range(3), key=options.__getitem__)
            row[j + 1], moves[j + 1] = options[best], "pqf"[best]
        score = row
        came.append(moves)
    i, j = len(q.texts), max(range(width + 1), key=score.__getitem__)
    pairs: list[tuple[int, int]] = []
    while i and j:
        move = came[i - 1][j]
        if move == "p":
            pairs.append((i - 1, low + j - 1))
        i, j = i - (move != "f"), j - (move != "q")
    if not pairs:
        return None
    pairs.reverse()
    inside = range(pairs[0][1], pairs[-1][1] + 1)
    matched = sum(alike(q.texts[i], f.texts[j]) * (q.weights[i] + f.weights[j]) for i, j in pairs)
    whole = sum(q.weights) + sum(f.weights[j] for j in inside)
    return Fit(tuple((q.places[i], f.places[j]) for i, j in pairs), matched / whole)


class _Likeness:
    """How alike two lines are, in 0 … 1; once WORK is spent, lines are alike only when equal."""

    def __init__(self) -> None:
        self._left = WORK
        self._known: dict[tuple[str, str], float] = {}

    def __call__(self, first: str, second: str) -> float:
        if first == second:
            return 1.0
        pair = first[:LONGEST_LINE], second[:LONGEST_LINE]
        if pair not in self._known:
            self._known[pair] = self._rated(*pair) if self._left > 0 else 0.0
        return self._known[pair]

    def _rated(self, first: str, second: str) -> float:
        if min(len(first), len(second)) * 2 < LINE_SIMILARITY * (len(first) + len(second)):
            return 0.0
        matcher = SequenceMatcher(None, first, second, autojunk=False)
        self._left -= 10 * len(first)
        if matcher.quick_ratio() < LINE_SIMILARITY:
            return 0.0
        self._left -= len(first) * len(second)
        ratio = matcher.ratio()
        return ratio if ratio >= LINE_SIMILARITY else 0.0
