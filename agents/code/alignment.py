"""Which items of two sequences belong together: patience differencing, with difflib in the small gaps.

Common ends first, then the items that occur once on either side, in their longest increasing order; the gaps between
these again.  Anchoring on what is unique keeps blank lines and lone brackets from tying unrelated code together.
Source: B. Cohen's patience diff (2003), as in Bazaar; the longest increasing subsequence by patience sorting
(Aldous & Diaconis, 1999).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

__all__ = ["Change", "aligned", "changes"]

Change = tuple[int, int, int, int]
"""`before[i1:i2]` became `after[j1:j2]`, as (i1, i2, j1, j2)."""

SMALL = 200 * 200
"""Gaps of more cells than this and without a unique item are not searched: difflib would need minutes."""


def changes(before: Sequence[Hashable], after: Sequence[Hashable]) -> list[Change]:
    """What differs, in order; between two changes lies at least one common item."""
    found: list[Change] = []
    i = j = 0
    for p, q in [*aligned(before, after), (len(before), len(after))]:
        if p > i or q > j:
            found.append((i, p, j, q))
        i, j = p + 1, q + 1
    return found


def aligned(before: Sequence[Hashable], after: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Pairs of indices of equal items, increasing on both sides.  Deterministic."""
    pairs: list[tuple[int, int]] = []
    gaps = [(0, len(before), 0, len(after))]
    while gaps:
        i1, i2, j1, j2 = gaps.pop()
        while i1 < i2 and j1 < j2 and before[i1] == after[j1]:
            pairs.append((i1, j1))
            i1, j1 = i1 + 1, j1 + 1
        while i1 < i2 and j1 < j2 and before[i2 - 1] == after[j2 - 1]:
            i2, j2 = i2 - 1, j2 - 1
            pairs.append((i2, j2))
        if i1 == i2 or j1 == j2:
            continue
        if anchors := _anchors(before, after, i1, i2, j1, j2):
            pairs += anchors
            fences = [(i1 - 1, j1 - 1), *anchors, (i2, j2)]
            gaps += [(p + 1, r, q + 1, s) for (p, q), (r, s) in pairwise(fences)]
        elif (i2 - i1) * (j2 - j1) <= SMALL:
            matcher = SequenceMatcher(None, before[i1:i2], after[j1:j2], autojunk=False)
            for p, q, size in matcher.get_matching_blocks():
                pairs += [(i1 + p + k, j1 + q + k) for k in range(size)]
    return sorted(pairs)


def _anchors(
    before: Sequence[Hashable], after: Sequence[Hashable], i1: int, i2: int, j1: int, j2: int
) -> list[tuple[int, int]]:
    """The items that occur once on either side, as far as they stand in the same order."""
    first, second = _unique(before, i1, i2), _unique(after, j1, j2)
    return _increasing([(i, second[item]) for item, i in first.items() if item in second])


def _unique(items: Sequence[Hashable], start: int, end: int) -> dict[Hashable, int]:
    places: dict[Hashable, int] = {}
    again: set[Hashable] = set()
    for index in range(start, end):
        if items[index] in places:
            again.add(items[index])
        places[items[index]] = index
    return {item: index for item, index in places.items() if item not in again}


def _increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs (sorted by the first) whose second members increase."""
    tops: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for index, (_, j) in enumerate(pairs):
        pile = bisect_left(tops, j)
        previous.append(ends[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(j)
            ends.append(index)
        else:
            tops[pile], ends[pile] = j, index
    run: list[tuple[int, int]] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        run.append(pairs[at])
        at = previous[at]
    return run[::-1]
