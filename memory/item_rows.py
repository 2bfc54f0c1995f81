"""Items in namespaces, as the ledger keeps them: append-only rows, of which the last one of a key counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.ids import Clock
from memory import schema
from memory.database import Database

__all__ = ["ItemRow", "ItemRows"]

IDS_AT_ONCE = 500


@dataclass(frozen=True)
class ItemRow:
    """One revision of an item.  `body` is JSON text."""

    seq: int
    root: str
    owner: str
    key: str
    body: str
    at: float
    task_type: str = ""
    success: bool | None = None


class ItemRows:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def put(
        self,
        root: str,
        owner: str,
        key: str,
        body: str,
        *,
        task_type: str = "",
        success: bool | None = None,
        version: int = 1,
    ) -> tuple[ItemRow, bool]:
        """The item's row, and whether it is new; a body that is there already as the last one is left as it is."""
        table = schema.items
        same = (table.c.root == root, table.c.owner == owner, table.c.key == key)
        with self._database.write() as connection:
            last = connection.execute(sa.select(table).where(*same).order_by(table.c.seq.desc()).limit(1)).first()
            if last is not None and last.body == body:
                return _from_sql(last), False
            values = {
                "root": root,
                "owner": owner,
                "key": key,
                "task_type": task_type,
                "success": None if success is None else int(success),
                "at": self._clock(),
                "version": version,
                "body": body,
            }
            made = connection.execute(sa.insert(table).values(values).returning(table)).one()
        return _from_sql(made), True

    def get(self, root: str, owner: str, key: str) -> ItemRow | None:
        """The last row of that key."""
        found = self.latest(root, owner, keys=[key], limit=1)
        return found[0] if found else None

    def latest(
        self,
        root: str | None = None,
        owner: str | None = None,
        *,
        keys: Sequence[str] | None = None,
        task_type: str | None = None,
        success: bool | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> list[ItemRow]:
        """The last row of each key, newest first; only rows older than `before`, if given."""
        table = schema.items
        query = sa.select(table).where(_is_last()).order_by(table.c.seq.desc())
        wanted: list[tuple[sa.ColumnElement[Any], Any]] = [
            (table.c.root, root),
            (table.c.owner, owner),
            (table.c.task_type, task_type),
            (table.c.success, None if success is None else int(success)),
        ]
        for column, value in wanted:
            if value is not None:
                query = query.where(column == value)
        if keys is not None:
            query = query.where(table.c.key.in_(list(keys)[:IDS_AT_ONCE]))
        if before is not None:
            query = query.where(table.c.seq < before)
        if limit is not None:
            query = query.limit(limit)
        with self._database.read() as connection:
            return [_from_sql(row) for row in connection.execute(query)]

    def current(self, numbers: Sequence[int]) -> dict[int, ItemRow]:
        """Those of the rows with these numbers that are the last of their key."""
        table = schema.items
        found: dict[int, ItemRow] = {}
        for start in range(0, len(numbers), IDS_AT_ONCE):
            query = sa.select(table).where(table.c.seq.in_(numbers[start : start + IDS_AT_ONCE]), _is_last())
            with self._database.read() as connection:
                found |= {row.seq: _from_sql(row) for row in connection.execute(query)}
        return found

    def put_marks(
        self, root: str, owner: str, marks: Mapping[str, str], *, task_type: str = "", success: bool | None = None
    ) -> int:
        """Keep key → body for the keys that have no row yet; answers how many were new."""
        table = schema.items
        keys = list(marks)
        values = {
            "root": root,
            "owner": owner,
            "task_type": task_type,
            "success": None if success is None else int(success),
            "at": self._clock(),
            "version": 1,
        }
        with self._database.write() as connection:
            known: set[str] = set()
            for start in range(0, len(keys), IDS_AT_ONCE):
                query = sa.select(table.c.key).where(
                    table.c.root == root, table.c.owner == owner, table.c.key.in_(keys[start : start + IDS_AT_ONCE])
                )
                known.update(connection.execute(query).scalars())
            new = [{**values, "key": key, "body": body} for key, body in marks.items() if key not in known]
            if new:
                connection.execute(sa.insert(table), new)
        return len(new)

    def counts(self, root: str) -> Counter[tuple[str, str, bool]]:
        """How many rows of the root there are by (owner, body, success)."""
        table = schema.items
        query = (
            sa.select(table.c.owner, table.c.body, table.c.success, sa.func.count())
            .where(table.c.root == root)
            .group_by(table.c.owner, table.c.body, table.c.success)
        )
        counted: Counter[tuple[str, str, bool]] = Counter()
        with self._database.read() as connection:
            for owner, body, success, count in connection.execute(query):
                counted[owner, body, bool(success)] += count
        return counted

    def unindexed(self, roots: Sequence[str], prefix: str) -> list[ItemRow]:
        """The rows of those roots for which no embedding `prefix` + number is kept, oldest first."""
        table, kept = schema.items, schema.embeddings
        named = sa.literal(prefix) + sa.cast(table.c.seq, sa.String)
        missing = ~sa.select(kept.c.id).where(kept.c.id == named).exists()
        query = sa.select(table).where(table.c.root.in_(list(roots)), missing).order_by(table.c.seq)
        with self._database.read() as connection:
            return [_from_sql(row) for row in connection.execute(query)]

    def namespaces(self, roots: Sequence[str]) -> list[tuple[str, str]]:
        """(root, owner) of all that is there, in order."""
        table = schema.items
        query = sa.select(table.c.root, table.c.owner).where(table.c.root.in_(roots)).distinct()
        with self._database.read() as connection:
            return sorted((row[0], row[1]) for row in connection.execute(query))

    def record(self, root: str, owner: str, task_type: str) -> tuple[int, int]:
        """(successes, all) of the rows of that owner and type of task that say whether they were one."""
        table = schema.items
        query = (
            sa.select(table.c.success, sa.func.count())
            .where(table.c.root == root, table.c.owner == owner, table.c.task_type == task_type)
            .where(table.c.success.is_not(None))
            .group_by(table.c.success)
        )
        with self._database.read() as connection:
            counted = Counter({row[0]: row[1] for row in connection.execute(query)})
        return counted[1], counted.total()


def _is_last() -> sa.ColumnElement[bool]:
    """That no later row has the same key."""
    table, later = schema.items, schema.items.alias("later")
    newer = sa.select(later.c.seq).where(
        later.c.root == table.c.root,
        later.c.owner == table.c.owner,
        later.c.key == table.c.key,
        later.c.seq > table.c.seq,
    )
    return ~newer.exists()


def _from_sql(row: sa.Row[Any]) -> ItemRow:
    fields = row._mapping
    success = fields["success"]
    return ItemRow(
        seq=fields["seq"],
        root=fields["root"],
        owner=fields["owner"],
        key=fields["key"],
        body=fields["body"],
        at=fields["at"],
        task_type=fields["task_type"],
        success=None if success is None else bool(success),
    )
