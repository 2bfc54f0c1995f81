"""Three-way merge of sequences: what two sides made of one base, chunk by chunk.

    base = a          → b         only b changed it
    base = b          → a         only a changed it
    a = b             → either    both did the same
    all three differ  → conflict

Changes of the two sides that overlap or touch make one chunk, so that neither is applied beside lines it never saw.
Source: S. Khanna, K. Kunal, B. C. Pierce, A Formal Investigation of Diff3 (2007).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from agents.code.alignment import Change, changes

__all__ = ["Chunk", "three_way"]

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True)
class Chunk(Generic[T]):
    """A stretch of the three sequences; `start` is its first index in the base."""

    kind: Literal["same", "a", "b", "both", "conflict"]
    start: int
    base: tuple[T, ...]
    a: tuple[T, ...]
    b: tuple[T, ...]

    @property
    def merged(self) -> tuple[T, ...]:
        """What the chunk becomes; the base for a conflict."""
        if self.kind == "conflict":
            return self.base
        return self.b if self.kind == "b" else self.a


def three_way(base: Sequence[T], a: Sequence[T], b: Sequence[T]) -> list[Chunk[T]]:
    """The chunks in order; each side's chunks make up that side.  Symmetric in `a` and `b` but for the names."""
    chunks: list[Chunk[T]] = []
    at = at_a = at_b = 0
    for low, high, of_a, of_b in _regions(changes(base, a), changes(base, b)):
        same = tuple(base[at:low])
        if same:
            chunks.append(Chunk("same", at, same, same, same))
        start_a, start_b = at_a + low - at, at_b + low - at
        at, at_a, at_b = high, start_a + high - low + of_a, start_b + high - low + of_b
        chunks.append(_chunk(low, tuple(base[low:high]), tuple(a[start_a:at_a]), tuple(b[start_b:at_b])))
    rest = tuple(base[at:])
    return [*chunks, Chunk("same", at, rest, rest, rest)] if rest else chunks


def _chunk(start: int, base: tuple[T, ...], a: tuple[T, ...], b: tuple[T, ...]) -> Chunk[T]:
    if a == b:
        return Chunk("both", start, base, a, b)
    if base in (a, b):
        return Chunk("a" if base == b else "b", start, base, a, b)
    return Chunk("conflict", start, base, a, b)


def _regions(of_a: list[Change], of_b: list[Change]) -> list[tuple[int, int, int, int]]:
    """Stretches of the base that somebody changed, with the items that each side has more there than the base."""
    regions: list[tuple[int, int, int, int]] = []
    tagged = [(change, 1, 0) for change in of_a] + [(change, 0, 1) for change in of_b]
    for (i1, i2, j1, j2), in_a, in_b in sorted(tagged):
        more = (j2 - j1) - (i2 - i1)
        if regions and i1 <= regions[-1][1]:
            low, high, more_a, more_b = regions.pop()
            regions.append((low, max(high, i2), more_a + in_a * more, more_b + in_b * more))
        else:
            regions.append((i1, i2, in_a * more, in_b * more))
    return regions
