"""Exact search: every vector is looked at.

Notation: V [n, d] the kept vectors, q [d] the question; the similarity of row i is  V_i·q / (|V_i| |q|).  It is
computed in float64 row by row, so it does not depend on which other rows are looked at; equals are ordered by id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from memory.embedding_rows import EmbeddingRow

__all__ = ["ROUNDING", "Hit", "Scan", "cosines", "rank"]

Hit = tuple[float, EmbeddingRow]
"""Similarity and row; the vector of the row may be left out."""

ROUNDING = 1e-5
"""More than float32 arithmetic can be wrong about a cosine of unit vectors with a thousand places."""
NO_VECTOR: NDArray[np.float32] = np.zeros(0, dtype=np.float32)


def cosines(vectors: NDArray[np.float32], question: NDArray[np.float32]) -> NDArray[np.float64]:
    """float64 [n]: the cosine of each row of `vectors` [n, d] with `question` [d]; 0 where one has no length."""
    v, q = vectors.astype(np.float64), question.astype(np.float64)
    lengths = np.sqrt((v * v).sum(axis=1)) * np.sqrt((q * q).sum())
    products = (v * q).sum(axis=1)
    similarities: NDArray[np.float64] = np.zeros_like(products)
    np.divide(products, lengths, out=similarities, where=lengths > 0)
    np.clip(similarities, -1.0, 1.0, out=similarities)
    return similarities


def rank(hits: Iterable[Hit], k: int) -> list[Hit]:
    """The `k` best: most similar first, equals by id."""
    return sorted(hits, key=lambda hit: (-hit[0], hit[1].id))[:k]


class Scan:
    """The rows of one collection in memory, up to `position`."""

    def __init__(self, dimension: int) -> None:
        self.position = 0
        self._rows: list[EmbeddingRow] = []
        self._places: dict[str, int] = {}
        self._vectors = np.zeros((0, dimension), dtype=np.float32)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, rows: Iterable[EmbeddingRow]) -> None:
        """Take rows in the order of their positions; a known id is replaced."""
        for row in rows:
            place = self._places.setdefault(row.id, len(self._rows))
            kept = replace(row, vector=NO_VECTOR)
            if place < len(self._rows):
                self._rows[place] = kept
            else:
                self._rows.append(kept)
                self._grow(len(self._rows))
            self._vectors[place] = row.vector
            self.position = max(self.position, row.position)

    def search(
        self, question: NDArray[np.float32], k: int, *, campaign_id: str | None = None, exclude: Collection[str] = ()
    ) -> list[Hit]:
        """The `k` rows most similar to `question` [d], of one campaign if given, without the ids of `exclude`."""
        rough = self._vectors[: len(self._rows)] @ question
        if campaign_id is not None or exclude:
            hidden = [row.id in exclude or campaign_id not in (None, row.campaign_id) for row in self._rows]
            rough[np.array(hidden, dtype=bool)] = -np.inf
        count = min(k, int((rough > -np.inf).sum()))
        if count == 0:
            return []
        # float32 decides only who is surely not among the best
        bound = np.partition(rough, len(rough) - count)[len(rough) - count] - ROUNDING
        places = np.flatnonzero(rough >= bound)
        exact = cosines(self._vectors[places], question)
        return rank(((float(s), self._rows[i]) for s, i in zip(exact, places, strict=True)), k)

    def _grow(self, size: int) -> None:
        if size > len(self._vectors):
            larger = np.zeros((max(64, 2 * len(self._vectors)), self._vectors.shape[1]), dtype=np.float32)
            larger[: len(self._vectors)] = self._vectors
            self._vectors = larger
