"""Every candidate of a campaign on code, append-only: one row that fits a page, its diff from the base in it.

A diff is compressed (zlib); one that does not fit into `ROW_BYTES` with the rest goes to the artifacts, and the row
names it.  Positions grow in the order in which rows become visible, so that a reader who remembers the last one it saw
misses nothing.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from core.errors import NotFoundError, StorageError
from memory import schema
from memory.artifacts import Artifacts
from memory.database import Database

__all__ = ["CandidateRow", "Candidates"]

ROW_BYTES = 3900
"""What the columns of one row may hold together: a row of SQLite then never needs more than one page of 4,096 bytes."""
REASON_CHARACTERS = 300
TOUCHED_BYTES = 1000
IDS_AT_ONCE = 500
"""Below the number of variables that any SQLite takes in one statement."""


@dataclass(frozen=True)
class CandidateRow:
    """What is kept of a candidate besides its diff.

    `score`: higher is better, None when it failed; `reason`: why it failed, cut at 300 characters.  `measures`: what an
    archive tells candidates apart by, by name; `touched`: names of the places it changes, those that fit into 1,000
    bytes.  Given by the ledger: `position`, and `artifact`, the reference of a diff that is too big for the row.
    """

    id: str
    campaign_id: str
    cycle: int
    operator: str
    status: str
    score: float | None = None
    parents: tuple[str, ...] = ()
    strategy: str = ""
    novelty: float = 0.0
    measures: Mapping[str, float] = field(default_factory=dict)
    touched: tuple[str, ...] = ()
    reason: str = ""
    artifact: str = ""
    position: int = 0


class Candidates:
    """The candidates in one ledger, for any number of processes."""

    def __init__(self, database: Database, artifacts: Artifacts) -> None:
        self._database = database
        self._artifacts = artifacts
        table = schema.candidates
        # made once: SQLAlchemy then compiles it once
        self._insert = database.insert(table).on_conflict_do_nothing().returning(table.c.position)
        self._columns = [column for column in table.c if column.name != "diff"]

    def add(self, row: CandidateRow, diff: str = "") -> bool:
        """Keep a candidate with its diff from the campaign's base; False when its id is there: the first one stays.

        A row that names an artifact already has its diff there.

        Raises ValueError for a number that is not finite or a row that is too big without its diff; StorageError.
        """
        values = _to_sql(row)
        blob = zlib.compress(diff.encode("utf-8", "surrogatepass"), 9) if diff and not row.artifact else b""
        if _size(values) + len(blob) > ROW_BYTES:
            # before the row that names it: a row never names what is not there
            values["artifact"], blob = self._artifacts.put(diff.encode("utf-8", "surrogatepass")), b""
        with self._database.write() as connection:
            return connection.execute(self._insert, {**values, "diff": blob}).scalar() is not None

    def of(self, campaign_id: str, *, after: int = 0, limit: int | None = None) -> Iterator[CandidateRow]:
        """The candidates of a campaign after a position, in order, without their diffs; at most `limit`."""
        position = schema.candidates.c.position
        query = (
            sa.select(*self._columns)
            .where(schema.candidates.c.campaign_id == campaign_id, position > after)
            .order_by(position)
            .limit(limit)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        yield from map(_from_sql, rows)

    def count(self, campaign_id: str) -> int:
        query = sa.select(sa.func.count()).where(schema.candidates.c.campaign_id == campaign_id)
        with self._database.read() as connection:
            return connection.execute(query).scalar() or 0

    def candidate(self, candidate_id: str) -> CandidateRow:
        """Raises NotFoundError."""
        found = self._by_id([candidate_id])
        if not found:
            raise NotFoundError(f"there is no candidate {candidate_id!r}", where=self._database.where)
        return found[0]

    def diff(self, candidate_id: str) -> str:
        """Its diff from the base of its campaign, empty where there is none.  Raises NotFoundError, StorageError."""
        table = schema.candidates
        query = sa.select(table.c.artifact, table.c.diff).where(table.c.id == candidate_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFoundError(f"there is no candidate {candidate_id!r}", where=self._database.where)
        if row.artifact:
            return self._artifacts.get(row.artifact).decode("utf-8", "surrogatepass")
        try:
            return zlib.decompress(row.diff).decode("utf-8", "surrogatepass") if row.diff else ""
        except (zlib.error, UnicodeDecodeError) as error:
            raise StorageError(
                f"the diff of candidate {candidate_id} is damaged: {error}",
                where=self._database.where,
                hint="restore a copy of the ledger; the other candidates are not touched by this",
            ) from error

    def lineage(self, candidate_id: str) -> list[CandidateRow]:
        """The candidate and all its ancestors, each once, generation by generation backwards.

        A parent that is no candidate, such as the base, is left out.  One query a generation.  Raises NotFoundError.
        """
        generation = [self.candidate(candidate_id)]
        seen = {candidate_id}
        out = []
        while generation:
            out += generation
            parents = list(dict.fromkeys(p for row in generation for p in row.parents if p not in seen))
            seen.update(parents)
            generation = self._by_id(parents)
        return out

    def _by_id(self, ids: Sequence[str]) -> list[CandidateRow]:
        """Those that are there, in the order of their positions."""
        rows: list[sa.Row[Any]] = []
        for start in range(0, len(ids), IDS_AT_ONCE):
            query = sa.select(*self._columns).where(schema.candidates.c.id.in_(ids[start : start + IDS_AT_ONCE]))
            with self._database.read() as connection:
                rows += connection.execute(query).all()
        return sorted(map(_from_sql, rows), key=lambda row: row.position)


def _to_sql(row: CandidateRow) -> dict[str, Any]:
    values = {
        "id": row.id,
        "campaign_id": row.campaign_id,
        "cycle": row.cycle,
        "operator": row.operator,
        "strategy": row.strategy,
        "parents": json.dumps(row.parents),
        "status": row.status,
        "score": row.score,
        "novelty": row.novelty,
        "measures": json.dumps(dict(row.measures)),
        "touched": json.dumps(_fitting(row.touched, TOUCHED_BYTES)),
        "reason": _storable(row.reason)[:REASON_CHARACTERS],
        "artifact": row.artifact,
    }
    for name, number in {"score": row.score or 0.0, "novelty": row.novelty, **row.measures}.items():
        if not math.isfinite(number):
            raise ValueError(f"candidate {row.id}: {name} is {number}")
    return values


def _size(values: Mapping[str, Any]) -> int:
    """Bytes of the columns without the diff, with room for the reference of an artifact."""
    texts = [value for value in values.values() if isinstance(value, str)]
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) + 71 + 8 * (len(values) - len(texts))
    if size > ROW_BYTES:
        raise ValueError(f"candidate {values['id'][:60]}: its row would take {size} bytes, more than {ROW_BYTES}")
    return size


def _storable(text: str) -> str:
    """What came out of a program, without what no database takes: halves of characters, and NUL."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def _fitting(names: Sequence[str], size_bytes: int) -> list[str]:
    """The first names that fit."""
    kept = []
    for name in names:
        size_bytes -= len(json.dumps(name)) + 2
        if size_bytes < 0:
            break
        kept.append(name)
    return kept


def _from_sql(row: sa.Row[Any]) -> CandidateRow:
    fields = dict(row._mapping)
    return CandidateRow(
        **{
            **fields,
            "parents": tuple(json.loads(fields["parents"])),
            "measures": json.loads(fields["measures"]),
            "touched": tuple(json.loads(fields["touched"])),
        }
    )
