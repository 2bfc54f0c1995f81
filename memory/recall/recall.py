"""Recall: what was remembered, found again by meaning.

The store (the ledger) is the truth.  The owner of the folder keeps a Chroma index over it and asks that for
candidates once a collection is large; everybody else, and everybody while it is small, looks at every vector.
Both rank by the exact cosine of the stored vectors, equals by id.

Up to `EXACT_UP_TO` memories of a collection the answers are exact and everybody's are the same.  Beyond, Chroma's
graph decides who is a candidate, and it can miss one: recall@10 is 1.000 at 6,000 and 0.999 at 20,000 random vectors
of 384 places, less where nothing is near the question.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from core.errors import BusyError, StorageError, UnavailableError
from core.records import Memory
from memory.embedding_rows import EmbeddingRow
from memory.embeddings import Embedder
from memory.recall.index import ChromaIndex, model_mismatch
from memory.recall.items import COLLECTIONS, EmbeddingStore, MemoryItem, check_collection, cleaned, readable, to_memory
from memory.recall.owned import OwnedIndex
from memory.recall.owner import OwnerLock
from memory.recall.scan import Hit, Scan, rank

__all__ = ["EXACT_UP_TO", "Recall"]

EXACT_UP_TO = 5_000
"""Memories of a collection up to which every vector is looked at; that is as fast as the index, and exact."""
EMBED_AT_ONCE = 256


class Recall:
    """The memories of one state folder.  Open it with `Recall.open`; usable from several threads."""

    def __init__(
        self, folder: Path, store: EmbeddingStore, embedder: Embedder, lock: OwnerLock | None, exact_up_to: int
    ) -> None:
        self._folder = folder
        self._store = store
        self._embedder = embedder
        self._exact_up_to = exact_up_to
        self._index = ChromaIndex(folder / "index", embedder.model_id, embedder.dimension)
        self._owned = None if lock is None else OwnedIndex(self._index, lock, store, self._checked)
        self._scans: dict[str, Scan] = {}
        self._lock = threading.RLock()
        self.searches = {"exact": 0, "index": 0}
        """Searches of a collection so far, by how they were answered."""

    @classmethod
    def open(
        cls,
        folder: Path,
        store: EmbeddingStore,
        embedder: Embedder,
        *,
        read_only: bool = False,
        unchecked: bool = False,
        exact_up_to: int = EXACT_UP_TO,
    ) -> Recall:
        """Open the memories; whoever comes first, and not `read_only`, becomes the owner of the index.

        The owner looks the index over, sets a damaged one aside, and catches up with the store.  Raises ConfigError
        when the memories were embedded with another model.  `unchecked` leaves all this to the `rebuild` that follows.
        """
        recall = cls(folder, store, embedder, None if read_only else _acquire(folder), exact_up_to)
        try:
            if not unchecked and recall._owned is not None:
                recall._owned.check()
            elif not unchecked:
                recall._index.check_model()
        except BaseException:
            recall.close()
            raise
        return recall

    def __enter__(self) -> Recall:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def owner(self) -> bool:
        """Whether this process keeps the index."""
        return self._owned is not None

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know: an index set aside, built again or given up, a model that loads slowly."""
        return (*(self._owned.notes if self._owned else ()), *getattr(self._embedder, "notes", ()))

    def close(self) -> None:
        """Let go of the index and its lock; searching goes on without."""
        with self._lock:
            if self._owned is not None:
                self._owned.close()
                self._owned = None

    # ------------------------------------------------------------------ remembering and searching

    def remember(self, items: Sequence[MemoryItem]) -> int:
        """Keep items for good; answers how many were new.  What is kept when this returns survives a kill.

        An item whose id is known is left as it is.  Raises ConfigError for an item that cannot be kept.
        """
        wanted: dict[str, MemoryItem] = {}
        for item in items:
            wanted.setdefault(item.id, cleaned(item))
        with self._lock:
            for row in self._checked(self._store.embeddings_by_id(list(wanted))):
                del wanted[row.id]
            new = list(wanted.values())
            for start in range(0, len(new), EMBED_AT_ONCE):
                batch = new[start : start + EMBED_AT_ONCE]
                vectors = self._embed([item.text for item in batch])
                model_id = self._embedder.model_id
                self._store.put_embeddings([item.row(v, model_id) for item, v in zip(batch, vectors, strict=True)])
            if new and self._owned is not None:
                self._owned.follow()
            return len(new)

    def search(
        self,
        text: str,
        k: int = 5,
        *,
        collection: str | None = None,
        campaign_id: str | None = None,
        exclude: Collection[str] = (),
    ) -> list[Memory]:
        """The `k` memories most similar to `text`, most similar first, equals by id.

        Of one collection or of all, of one campaign or of all, without the ids of `exclude`.
        """
        names = list(COLLECTIONS) if collection is None else [check_collection(collection)]
        if k < 1:
            return []
        question = self._embed([readable(text)])[0]
        hidden = frozenset(exclude)
        with self._lock:
            if self._owned is not None:
                self._owned.follow()
            hits = [hit for name in names for hit in self._search(name, question, k, campaign_id, hidden)]
        return [to_memory(row, similarity) for similarity, row in rank(hits, k)]

    def _search(
        self, name: str, question: NDArray[np.float32], k: int, campaign_id: str | None, exclude: frozenset[str]
    ) -> list[Hit]:
        if self._owned is not None and self._owned.count(name) > self._exact_up_to:
            found = self._owned.search(name, question, k, campaign_id, exclude)
            if found is not None:
                self.searches["index"] += 1
                return found
        self.searches["exact"] += 1
        scan = self._scans.setdefault(name, Scan(self._embedder.dimension))
        scan.add(self._checked(self._store.embeddings(scan.position, name)))
        return scan.search(question, k, campaign_id=campaign_id, exclude=exclude)

    # ------------------------------------------------------------------ upkeep

    def rebuild(self) -> int:
        """Make the index again from the store; answers the number of memories.

        Those of another model are embedded again; all others need no model.  Raises BusyError when another process
        owns the index.
        """
        with self._lock:
            if self._owned is None:
                raise BusyError(
                    "this process does not own the index of the memories",
                    where=f"{self._folder}, owned by process {OwnerLock.holder(_lock_file(self._folder))}",
                    hint="run this again when that process has ended",
                )
            old = [row for row in self._store.embeddings() if row.model_id != self._embedder.model_id]
            for start in range(0, len(old), EMBED_AT_ONCE):
                batch = old[start : start + EMBED_AT_ONCE]
                vectors = self._embed([row.text for row in batch])
                model_id = self._embedder.model_id
                again = [replace(row, vector=v, model_id=model_id) for row, v in zip(batch, vectors, strict=True)]
                self._store.put_embeddings(again, replace=True)
            self._scans.clear()
            return self._owned.build_again()

    def verify(self) -> list[str]:
        """What is wrong with the index; nothing when it holds exactly what the store holds.

        Only its owner may open the index; another process looks at its database file alone.
        """
        with self._lock:
            if self._owned is None:
                damage = self._index.database_damage()
                return [damage] if damage else []
            self._owned.follow()
            return self._owned.verify()

    def _checked(self, rows: Iterable[EmbeddingRow]) -> Iterable[EmbeddingRow]:
        for row in rows:
            if row.model_id != self._embedder.model_id:
                raise model_mismatch(row.model_id, len(row.vector), self._embedder.model_id, self._embedder.dimension)
            yield row

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = self._embedder.embed(texts)
        if vectors.shape != (len(texts), self._embedder.dimension) or not np.isfinite(vectors).all():
            raise UnavailableError(
                f"the embedder {self._embedder.model_id} gave no usable vectors",
                where=f"shape {vectors.shape}, wanted ({len(texts)}, {self._embedder.dimension}), all finite",
                hint="choose another embedder",
            )
        return vectors


def _acquire(folder: Path) -> OwnerLock | None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return OwnerLock.acquire(_lock_file(folder))
    except OSError as error:
        raise StorageError(
            f"cannot open the memories: {error.strerror}",
            where=str(folder),
            hint="check the folder's rights and the disk, or choose another --home",
        ) from error


def _lock_file(folder: Path) -> Path:
    return folder / "owner.lock"
