"""The Chroma index: candidates for a search, one Chroma collection per collection of memories.

It holds copies only, so whatever goes wrong with it is answered by doing without it and building it again.  What
Chroma does not notice by itself is checked here: a damaged `chroma.sqlite3` keeps answering, missing HNSW files
give one hit where there are thousands, and damaged ones end the process with a segmentation fault.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError, RatchetError, StorageError
from memory.embedding_rows import EmbeddingRow
from memory.recall.progress import Progress, digest, segment_digests, segment_stats

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.collection_configuration import CreateHNSWConfiguration
    from chromadb.api.models.Collection import Collection

__all__ = ["ChromaIndex", "IndexDamagedError", "model_mismatch"]

BATCH = 1_000
"""Rows handed to Chroma at once; it takes 5,461 at most."""
HNSW: CreateHNSWConfiguration = {"space": "cosine", "ef_construction": 200, "ef_search": 800, "max_neighbors": 48}
"""Chosen by measuring: recall@10 of 1.0 where the defaults have 0.8 (8,000 random vectors of 384 places)."""


class IndexDamagedError(StorageError):
    """Chroma cannot be used as it stands; nothing is lost, the index is only a copy."""


class ChromaIndex:
    """The index in `folder`, used by one process.  Chroma is imported and opened at the first need.

    `damage` looks at the files without opening Chroma; what needs Chroma raises IndexDamagedError when that fails.
    """

    def __init__(self, folder: Path, model_id: str, dimension: int) -> None:
        self.folder = folder
        self.progress = Progress.read(folder) or Progress(model_id=model_id, dimension=dimension)
        self._model_id = model_id
        self._dimension = dimension
        self._client: ClientAPI | None = None
        self._collections: dict[str, Collection] = {}
        self._inode: int | None = None
        self._stats: dict[str, tuple[int, int]] = {}
        self._digests = self.progress.digests

    # ------------------------------------------------------------------ the files

    @property
    def database(self) -> Path:
        return self.folder / "chroma.sqlite3"

    def damage(self) -> str:
        """What is wrong with the files; empty when they are whole, or when there is no index yet."""
        if self.progress.failure or not self.folder.exists():
            return self.progress.failure
        if not self.database.exists():
            return "chroma.sqlite3 is missing" if any(self.folder.iterdir()) else ""
        if found := self.database_damage():
            return found
        if self.progress.database not in (None, digest(self.database)):
            return "chroma.sqlite3 is not as it was left"
        if self.progress.digests is not None and segment_digests(self.folder) != self.progress.digests:
            return "the vector files are not those that were written"
        return ""

    def database_damage(self) -> str:
        """What SQLite finds wrong with `chroma.sqlite3`; empty when it is whole or absent.  Others may be writing."""
        if not self.database.exists():
            return ""
        try:
            with closing(sqlite3.connect(f"file:{self.database}?mode=rw", uri=True)) as connection:
                found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.Error as error:
            return f"chroma.sqlite3: {error}"
        return "" if found == "ok" else f"chroma.sqlite3: {found}"

    def check_model(self) -> None:
        """Raise ConfigError when the index was made with another model."""
        if (self.progress.model_id, self.progress.dimension) != (self._model_id, self._dimension):
            raise model_mismatch(self.progress.model_id, self.progress.dimension, self._model_id, self._dimension)

    def set_aside(self) -> Path:
        """Rename the folder, so that the next use begins with an empty index; answers its new name."""
        self.close()
        if not self.folder.exists():
            self._start_over()
            return self.folder
        number = 1
        while (aside := self.folder.with_name(f"{self.folder.name}.damaged-{number}")).exists():
            number += 1
        self.folder.rename(aside)
        self._start_over()
        return aside

    def discard(self) -> None:
        """Delete the whole copies; the next use begins with an empty index."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._start_over()

    def give_up(self, failure: IndexDamagedError) -> None:
        """Use Chroma no more in this process, and leave word for the next owner."""
        with suppress(IndexDamagedError):
            self.close()
        with suppress(OSError):
            if self._ours():
                self.progress.changed(failure=failure.what).write(self.folder)

    def close(self) -> None:
        """Let go of Chroma's files, and write down what they are then."""
        client, self._client = self._client, None
        self._collections.clear()
        if client is None:
            return
        with _chroma("closing"):
            client.close()
            if self._ours():
                self.progress = self.progress.changed(database=digest(self.database))
                self._note_files()

    # ------------------------------------------------------------------ its content

    def count(self, collection: str) -> int:
        return self.progress.counts.get(collection, 0)

    def add(self, rows: Sequence[EmbeddingRow]) -> None:
        """Take rows in the order of their positions; known ids are left as they are."""
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            self._open()
            self.progress = self.progress.changed(digests=None)
            self._write()
            counts = dict(self.progress.counts)
            for name, group in groupby(sorted(batch, key=lambda row: row.collection), lambda row: row.collection):
                members = list(group)
                collection = self._collection(name)
                with _chroma("adding"):
                    collection.add(
                        ids=[row.id for row in members],
                        embeddings=np.stack([row.vector for row in members]),
                        documents=[row.text for row in members],
                        metadatas=[{"campaign_id": row.campaign_id, "position": row.position} for row in members],
                    )
                    counts[name] = collection.count()
            self.progress = self.progress.changed(position=batch[-1].position, counts=counts)
            self._note_files()

    def candidates(
        self, collection: str, question: NDArray[np.float32], n: int, campaign_id: str | None = None
    ) -> dict[str, float]:
        """Up to `n` ids near `question` with the cosine that Chroma gives them."""
        self._open()
        count = self.count(collection)
        if count == 0:
            return {}
        with self._reading():
            answer: Any = self._collection(collection).query(
                query_embeddings=question[None],
                n_results=min(n, count),
                where=None if campaign_id is None else {"campaign_id": campaign_id},
                include=["distances"],
            )
        # Chroma's cosine distance is 1 − cosine
        return {id_: 1.0 - distance for id_, distance in zip(answer["ids"][0], answer["distances"][0], strict=True)}

    def ids_of(self, collection: str, campaign_id: str) -> list[str]:
        """Every id of one campaign."""
        self._open()
        with self._reading():
            return list(self._collection(collection).get(where={"campaign_id": campaign_id}, include=[])["ids"])

    def entries(self, collection: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Every id of a collection with the vector that Chroma has for it."""
        self._open()
        for offset in range(0, self.count(collection), BATCH):
            with self._reading():
                page: Any = self._collection(collection).get(limit=BATCH, offset=offset, include=["embeddings"])
            yield from zip(page["ids"], page["embeddings"], strict=True)

    # ------------------------------------------------------------------ Chroma

    def _open(self) -> None:
        if self._client is not None:
            if not self._ours():
                raise IndexDamagedError("the index was removed while it was in use", where=str(self.folder))
            return
        with _chroma("opening"):
            import chromadb
            from chromadb.config import Settings

            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            settings = Settings(anonymized_telemetry=False)
            self._client = chromadb.PersistentClient(str(self.folder.resolve()), settings)
        self._inode = self.database.stat().st_ino
        self._stats = segment_stats(self.folder)
        if self.progress.database is not None:
            self.progress = self.progress.changed(database=None)
            self._write()
        for name, expected in self.progress.counts.items():
            with _chroma("opening"):
                found = self._collection(name).count()
            if found < expected:
                raise IndexDamagedError(f"{name} has {found} of {expected} entries", where=str(self.folder))

    def _collection(self, name: str) -> Collection:
        if name not in self._collections:
            assert self._client is not None
            with _chroma("opening"):
                collection = self._client.get_or_create_collection(
                    name,
                    embedding_function=None,
                    configuration={"hnsw": HNSW},
                    metadata={"model_id": self._model_id, "dimension": self._dimension},
                )
            noted = collection.metadata or {}
            if (noted.get("model_id"), noted.get("dimension")) != (self._model_id, self._dimension):
                raise model_mismatch(
                    str(noted.get("model_id")), noted.get("dimension"), self._model_id, self._dimension
                )
            self._collections[name] = collection
        return self._collections[name]

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Reading may write too: Chroma takes what was added into its vector files when it is next asked."""
        with _chroma("reading"):
            yield
        if segment_stats(self.folder) != self._stats:
            self._note_files()

    def _note_files(self) -> None:
        """Write down how far the index is, and what its vector files are now."""
        stats = segment_stats(self.folder)
        if stats != self._stats or self._digests is None:
            self._stats, self._digests = stats, segment_digests(self.folder)
        self.progress = self.progress.changed(digests=self._digests)
        self._write()

    def _write(self) -> None:
        with _chroma("noting how far it is in"):
            self.progress.write(self.folder)

    def _ours(self) -> bool:
        """Whether the files are still those that were opened."""
        return self.database.exists() and self.database.stat().st_ino == self._inode

    def _start_over(self) -> None:
        self.progress = Progress(model_id=self._model_id, dimension=self._dimension)
        self._stats, self._digests = {}, None


def model_mismatch(old: str, old_dimension: object, new: str, new_dimension: int) -> ConfigError:
    return ConfigError(
        f"the memories were embedded with {old} ({old_dimension} dimensions), the embedder is {new} ({new_dimension})",
        where="recall",
        hint="choose the old embedder, or embed all again: python run_graph.py memory rebuild",
    )


@contextmanager
def _chroma(doing: str) -> Iterator[None]:
    """Whatever Chroma raises, panics of its Rust part included, as IndexDamagedError."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, RatchetError):
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise IndexDamagedError(f"{doing} the index failed: {type(error).__name__}: {error}") from error
