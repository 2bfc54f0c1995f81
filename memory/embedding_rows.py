"""The embeddings as the ledger keeps them: the truth from which the recall index can be rebuilt without a model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from memory import schema
from memory.database import Database

__all__ = ["EmbeddingRow", "EmbeddingRows"]

IDS_AT_ONCE = 500
"""Below the number of variables that any SQLite takes in one statement."""


@dataclass(frozen=True)
class EmbeddingRow:
    """A text with its vector (float32, L2-normalised).  `position` is given by the ledger, in order of arrival."""

    id: str
    collection: str
    campaign_id: str
    text: str
    vector: NDArray[np.float32]
    model_id: str
    metadata: dict[str, str | float | int] = field(default_factory=dict)
    position: int = 0


class EmbeddingRows:
    def __init__(self, database: Database) -> None:
        self._database = database

    def put_embeddings(self, rows: Sequence[EmbeddingRow], *, replace: bool = False) -> None:
        """Keep rows, all or none; one whose id is there already is left as it is.

        With `replace` the old row goes and the new one gets a position at the end, so that every reader hears of it.
        """
        if not rows:
            return
        values = [
            {
                "id": row.id,
                "collection": row.collection,
                "campaign_id": row.campaign_id,
                "model_id": row.model_id,
                "text": row.text,
                "vector": np.asarray(row.vector, dtype="<f4").tobytes(),
                "metadata": json.dumps(row.metadata),
            }
            for row in rows
        ]
        with self._database.write() as connection:
            if replace:
                ids = [{"old_id": row.id} for row in rows]
                connection.execute(
                    sa.delete(schema.embeddings).where(schema.embeddings.c.id == sa.bindparam("old_id")), ids
                )
            connection.execute(self._database.insert(schema.embeddings).on_conflict_do_nothing(), values)

    def embeddings(self, after: int = 0, collection: str | None = None) -> Iterator[EmbeddingRow]:
        """The rows after position `after`, in order."""
        table = schema.embeddings
        query = sa.select(table).where(table.c.position > after).order_by(table.c.position)
        if collection is not None:
            query = query.where(table.c.collection == collection)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        yield from map(_from_sql, rows)

    def embeddings_by_id(self, ids: Sequence[str]) -> Iterator[EmbeddingRow]:
        """The rows with these ids, in no promised order; unknown ids are left out."""
        for start in range(0, len(ids), IDS_AT_ONCE):
            query = sa.select(schema.embeddings).where(schema.embeddings.c.id.in_(ids[start : start + IDS_AT_ONCE]))
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            yield from map(_from_sql, rows)

    def clear(self, ids: Sequence[str]) -> int:
        """Forget rows by id; answers how many there were."""
        with self._database.write() as connection:
            return connection.execute(sa.delete(schema.embeddings).where(schema.embeddings.c.id.in_(ids))).rowcount


def _from_sql(row: sa.Row[Any]) -> EmbeddingRow:
    fields = row._mapping
    return EmbeddingRow(
        id=fields["id"],
        collection=fields["collection"],
        campaign_id=fields["campaign_id"],
        text=fields["text"],
        vector=np.frombuffer(fields["vector"], dtype="<f4"),
        model_id=fields["model_id"],
        metadata=json.loads(fields["metadata"]),
        position=fields["position"],
    )
