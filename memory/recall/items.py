"""What goes into recall, what keeps it, and what comes out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError, nearest
from core.records import Memory
from memory.embedding_rows import EmbeddingRow

__all__ = ["COLLECTIONS", "EmbeddingStore", "MemoryItem", "check_collection", "cleaned", "readable", "to_memory"]

COLLECTIONS: Mapping[str, Literal["trajectory", "guidance", "lesson", "comment", "outcome", "plan"]] = {
    "comments": "comment",
    "guidance": "guidance",
    "lessons": "lesson",
    "outcomes": "outcome",
    "training": "plan",
    "trajectories": "trajectory",
}
"""Collection → what one of its memories is."""


@dataclass(frozen=True)
class MemoryItem:
    """A text to remember.  The id is derived from the content by the caller: the same id is the same memory.

    Of the metadata, `proposal_id`, `score`, `objective` and `config` (as JSON) come back as fields of `Memory`.
    """

    id: str
    collection: str
    campaign_id: str
    text: str
    metadata: Mapping[str, str | float | int] = field(default_factory=dict)

    def row(self, vector: NDArray[np.float32], model_id: str) -> EmbeddingRow:
        """The item as the store keeps it."""
        return EmbeddingRow(
            self.id, self.collection, self.campaign_id, self.text, vector, model_id, dict(self.metadata)
        )


class EmbeddingStore(Protocol):
    """Where the embeddings are kept for good; the ledger is one.

    **Positions increase and are never given twice.  A call returns when its rows are durable, all or none.**
    """

    def put_embeddings(self, rows: Sequence[EmbeddingRow], *, replace: bool = False) -> None:
        """Keep rows; a known id is left as it is, or with `replace` is replaced under a new position."""
        ...

    def embeddings(self, after: int = 0, collection: str | None = None) -> Iterable[EmbeddingRow]:
        """The rows after position `after`, in order."""
        ...

    def embeddings_by_id(self, ids: Sequence[str]) -> Iterable[EmbeddingRow]:
        """The rows with these ids, in any order; unknown ids are left out."""
        ...


def check_collection(name: str) -> str:
    """`name`, or ConfigError with the nearest known one."""
    if name not in COLLECTIONS:
        raise ConfigError(f"there is no collection {name!r} of memories", hint=nearest(name, COLLECTIONS))
    return name


def to_memory(row: EmbeddingRow, similarity: float) -> Memory:
    score = row.metadata.get("score")
    return Memory(
        id=row.id,
        kind=COLLECTIONS[row.collection],
        text=row.text,
        similarity=similarity,
        campaign_id=row.campaign_id,
        proposal_id=str(row.metadata["proposal_id"]) if "proposal_id" in row.metadata else None,
        score=None if score is None else float(score),
        objective=str(row.metadata.get("objective", "")),
        config=json.loads(str(row.metadata.get("config", "{}"))),
    )


def readable(text: str) -> str:
    """The text without halves of characters, which neither databases nor tokenizers take."""
    return text.encode("utf-8", "replace").decode()


def cleaned(item: MemoryItem) -> MemoryItem:
    """The item as it can be kept.  Raises ConfigError when it could not come back as a Memory."""
    check_collection(item.collection)
    item = replace(item, text=readable(item.text))
    try:
        to_memory(item.row(np.zeros(0, dtype=np.float32), ""), 0.0)
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"the memory {item.id} cannot be kept: {str(error).splitlines()[0]}",
            where=f"metadata {dict(item.metadata)!r}",
            hint="score is a number, config a JSON object",
        ) from error
    return item
