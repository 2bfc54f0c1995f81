"""The index as its owner keeps it: whole, in step with the store, and given up when it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from memory.embedding_rows import EmbeddingRow
from memory.recall.index import ChromaIndex, IndexDamagedError
from memory.recall.items import COLLECTIONS, EmbeddingStore
from memory.recall.owner import OwnerLock
from memory.recall.scan import ROUNDING, Hit, cosines, rank

__all__ = ["OwnedIndex", "measured"]

TOLERANCE = 1e-3
"""A candidate whose cosine differs more than this from that of the stored vector comes from a damaged index."""

Checked = Callable[[Iterable[EmbeddingRow]], Iterable[EmbeddingRow]]
"""Passes rows on, and raises ConfigError at one of another model."""


class OwnedIndex:
    """The Chroma index of a folder in the hands of the holder of its lock.

    After a failure in mid-work `usable` is false: whoever searches does without, and the next owner builds it again.
    """

    def __init__(self, index: ChromaIndex, lock: OwnerLock, store: EmbeddingStore, checked: Checked) -> None:
        self._index = index
        self._lock = lock
        self._store = store
        self._checked = checked
        self.usable = True
        self.notes: list[str] = []

    def close(self) -> None:
        try:
            self._index.close()
        except IndexDamagedError as error:
            self.notes.append(error.what)
        self.usable = False
        self._lock.release()

    def count(self, collection: str) -> int:
        return self._index.count(collection) if self.usable else 0

    # ------------------------------------------------------------------ in step with the store

    def check(self) -> None:
        """Look the files over, set them aside when damaged, and catch up with the store."""
        if damage := self._index.damage():
            self._set_aside(damage)
        self._index.check_model()
        fresh = self._index.progress.position == 0
        try:
            taken = self._take_tail()
        except IndexDamagedError as error:
            self._set_aside(error.what)
            fresh, taken = True, self._take_tail()
        if fresh and taken:
            self.notes.append(f"the index was built from the ledger: {taken} memories")

    def follow(self) -> None:
        """Take what the store has got since, or do without the index."""
        try:
            self._take_tail()
        except IndexDamagedError as error:
            self._give_up(error)

    def build_again(self) -> int:
        """An index made anew from the whole store; answers the number of memories."""
        if damage := self._index.damage():
            self._set_aside(damage)
        else:
            self._index.discard()
        self.usable = True
        self._take_tail()
        return sum(map(self._index.count, COLLECTIONS))

    def _take_tail(self) -> int:
        if not self.usable:
            return 0
        tail = list(self._checked(self._store.embeddings(self._index.progress.position)))
        if tail:
            self._index.add(tail)
        return len(tail)

    def _set_aside(self, damage: str) -> None:
        aside = self._index.set_aside()
        self.notes.append(f"the index was damaged ({damage}); it was set aside as {aside}")

    def _give_up(self, error: IndexDamagedError) -> None:
        self._index.give_up(error)
        self.usable = False
        self.notes.append(f"searching without the index: {error.what}; the next start builds it again")

    # ------------------------------------------------------------------ searching

    def search(
        self, name: str, question: NDArray[np.float32], k: int, campaign_id: str | None, exclude: frozenset[str]
    ) -> list[Hit] | None:
        """The `k` best of Chroma's candidates; None when those cannot be shown to hold the best, or it fails."""
        try:
            return self._search(name, question, k, campaign_id, exclude)
        except IndexDamagedError as error:
            self._give_up(error)
            return None

    def _search(
        self, name: str, question: NDArray[np.float32], k: int, campaign_id: str | None, exclude: frozenset[str]
    ) -> list[Hit] | None:
        n = 4 * k + len(exclude) + 32
        everything = self._index.count(name)
        found = self._index.candidates(name, question, n)
        hits = self._exact(found, question)
        kept = [hit for hit in hits if hit[1].id not in exclude and campaign_id in (None, hit[1].campaign_id)]
        if campaign_id is not None and len(kept) < k and len(found) < everything:
            found = self._index.candidates(name, question, n, campaign_id)
            if len(found) < n:  # a small campaign: take all of it
                rows = self._checked(self._store.embeddings_by_id(self._index.ids_of(name, campaign_id)))
                return rank((hit for hit in measured(rows, question) if hit[1].id not in exclude), k)
            hits = self._exact(found, question)
            kept = [hit for hit in hits if hit[1].id not in exclude]
        best = rank(kept, k)
        if len(found) == everything:
            return best
        # Chroma gives fewer than asked where vectors are equal; and where the last candidate is as good as the
        # k-th hit, more of the same may follow
        if len(found) < n or len(best) < k or best[-1][0] - min(s for s, _ in hits) < ROUNDING:
            return None
        return best

    def _exact(self, found: dict[str, float], question: NDArray[np.float32]) -> list[Hit]:
        """Candidates with the cosine of their stored vector, which must be about what the index says."""
        hits = measured(self._checked(self._store.embeddings_by_id(list(found))), question)
        for similarity, row in hits:
            if abs(similarity - found[row.id]) > TOLERANCE:
                raise IndexDamagedError(f"the index has another vector for {row.id} than the ledger")
        return hits

    # ------------------------------------------------------------------ verifying

    def verify(self) -> list[str]:
        """Where files or entries differ from what the store holds."""
        if damage := self._index.damage():
            return [damage]
        found: list[str] = []
        for name in COLLECTIONS:
            stored = {row.id: row.vector for row in self._store.embeddings(0, name)}
            if not stored and not self._index.count(name):
                continue
            try:
                indexed = dict(self._index.entries(name))
            except IndexDamagedError as error:
                return [*found, error.what]
            both = stored.keys() & indexed.keys()
            differences: Sequence[tuple[str, Iterable[str]]] = (
                ("missing", stored.keys() - indexed.keys()),
                ("not in the ledger", indexed.keys() - stored.keys()),
                ("with another vector", [id_ for id_ in both if np.abs(stored[id_] - indexed[id_]).max() > ROUNDING]),
            )
            found += [f"{name}: {len(list(ids))} {what}, such as {min(ids)}" for what, ids in differences if ids]
        return found


def measured(rows: Iterable[EmbeddingRow], question: NDArray[np.float32]) -> list[Hit]:
    """Rows with their exact cosine to `question`."""
    kept = list(rows)
    if not kept:
        return []
    return list(zip(cosines(np.stack([row.vector for row in kept]), question).tolist(), kept, strict=True))
