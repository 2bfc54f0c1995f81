"""Leases: one process at a time works on a thing.  The owner is known by identity, not by a clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from core.errors import BusyError
from core.ids import Clock
from core.process import ProcessIdentity, identify
from memory import schema
from memory.database import Database

__all__ = ["Lease", "Leases"]


@dataclass(frozen=True)
class Lease:
    """The right to work on `name`.  `fence` grows with every owner, so that a late one can be told from the present."""

    name: str
    owner: ProcessIdentity
    fence: int


class Leases:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def acquire(self, name: str) -> Lease:
        """Take the lease.  Raises BusyError naming the owner's pid while that very process lives."""
        table = schema.leases
        me = identify()
        with self._database.write() as connection:
            row = connection.execute(sa.select(table).where(table.c.name == name)).one_or_none()
            fence = 1
            if row is not None:
                owner = _owner(row)
                if owner != me and owner.alive():
                    raise BusyError(
                        f"{name} is being run by process {owner.pid}",
                        where=f"host {owner.host}",
                        hint="wait for it, stop it with Ctrl-C there, or look at it with `python run_graph.py status`",
                    )
                fence = row.fence + 1
                connection.execute(sa.delete(table).where(table.c.name == name))
            connection.execute(
                sa.insert(table).values(
                    name=name,
                    pid=me.pid,
                    start_time=me.start_time,
                    boot_id=me.boot_id,
                    host=me.host,
                    fence=fence,
                    acquired_at=self._clock(),
                )
            )
        return Lease(name, me, fence)

    def release(self, lease: Lease) -> None:
        table = schema.leases
        with self._database.write() as connection:
            connection.execute(sa.delete(table).where(table.c.name == lease.name, table.c.fence == lease.fence))

    @contextmanager
    def held(self, name: str) -> Iterator[Lease]:
        """The lease, let go of at the end.  Raises BusyError as `acquire` does."""
        lease = self.acquire(name)
        try:
            yield lease
        finally:
            self.release(lease)

    def owner(self, name: str) -> ProcessIdentity | None:
        """Who works on `name` now; None when nobody does."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(schema.leases).where(schema.leases.c.name == name)).one_or_none()
        if row is None:
            return None
        owner = _owner(row)
        return owner if owner.alive() else None

    def owners(self) -> dict[str, ProcessIdentity]:
        """Who works on what now, by name."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(schema.leases)).all()
        return {row.name: owner for row in rows if (owner := _owner(row)).alive()}


def _owner(row: sa.Row[tuple[object, ...]]) -> ProcessIdentity:
    fields = row._mapping
    return ProcessIdentity(fields["pid"], fields["start_time"], fields["boot_id"], fields["host"])
