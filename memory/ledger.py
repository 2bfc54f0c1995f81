"""The ledger: campaigns and the event stream, the one truth.  Append-only; what is told twice is kept once."""

from __future__ import annotations

import functools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from core.campaign import Campaign
from core.errors import ConflictError, NotFoundError
from core.events import AnyEvent, parse_event
from core.ids import Clock, system_clock
from memory import schema
from memory.database import Database
from memory.effects import Effects
from memory.embedding_rows import EmbeddingRows
from memory.item_rows import ItemRows
from memory.leases import Leases

__all__ = ["Ledger", "Listener", "StoredCampaign"]

Listener = Callable[[AnyEvent], None]


@dataclass(frozen=True)
class StoredCampaign:
    """A campaign as the ledger knows it.  `status`: running, interrupted, finished, failed."""

    id: str
    definition: Campaign
    fingerprint: str
    status: str
    sessions: int
    created_at: float
    updated_at: float


class Ledger:
    """The ledger of one state folder, opened by any number of processes.

    `append` is the only way anything is recorded; listeners hear of an event after it is durable, in order.
    """

    def __init__(self, url: str | Path, *, clock: Clock = system_clock, check: bool = False) -> None:
        self.database = Database(url, check=check)
        self.clock = clock
        self.effects = Effects(self.database, clock)
        self.leases = Leases(self.database, clock)
        self.embeddings = EmbeddingRows(self.database)
        self.items = ItemRows(self.database, clock)
        self._listeners: list[Listener] = []
        self._telling = threading.local()
        # made once: SQLAlchemy then compiles it once
        self._insert_event = self.database.insert(schema.events).on_conflict_do_nothing().returning(schema.events.c.seq)

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------ events

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for every event from now on; the answer is a function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def append(self, *told: AnyEvent) -> list[AnyEvent]:
        """Keep events in one transaction; answers the new ones, with `seq` and `at`.

        An event whose key is there already is left as it is.  Events that are not kept only pass to the listeners.
        """
        if any(event.kept for event in told):
            return self.change(lambda _: told)
        self._tell(told)
        return list(told)

    def change(self, work: Callable[[sa.Connection], Sequence[AnyEvent]]) -> list[AnyEvent]:
        """Change rows and keep the events that `work` answers, in one transaction; answers the new ones, as `append`.

        Whatever `work` raises undoes all of it.
        """
        new: list[AnyEvent] = []
        with self.database.write() as connection:
            for event in work(connection):
                if not event.kept:
                    new.append(event)
                elif (stored := self._insert(connection, event)) is not None:
                    new.append(stored)
        self._tell(new)
        return new

    def _tell(self, events: Iterable[AnyEvent]) -> None:
        """Every listener hears of every event in order, of those too that another listener appends meanwhile."""
        waiting: deque[AnyEvent] | None = getattr(self._telling, "waiting", None)
        if waiting is not None:
            waiting.extend(events)
            return
        waiting = self._telling.waiting = deque(events)
        try:
            while waiting:
                event = waiting.popleft()
                for listener in tuple(self._listeners):
                    listener(event)
        finally:
            del self._telling.waiting

    def events(
        self,
        campaign_id: str | None = None,
        *,
        after: int = 0,
        types: Sequence[type[AnyEvent]] = (),
        cycle: int | None = None,
        subject: str | None = None,
        limit: int | None = None,
    ) -> Iterator[AnyEvent]:
        """The events after `after`, in order; at most `limit` of them."""
        table = schema.events
        query = sa.select(table.c.seq, table.c.at, table.c.body).where(table.c.seq > after).order_by(table.c.seq)
        if campaign_id is not None:
            query = query.where(table.c.campaign_id == campaign_id)
        if types:
            query = query.where(table.c.type.in_([t.__name__ for t in types]))
        if cycle is not None:
            query = query.where(table.c.cycle == cycle)
        if subject is not None:
            query = query.where(table.c.subject == subject)
        if limit is not None:
            query = query.limit(limit)
        with self.database.read() as connection:
            rows = connection.execute(query).all()
        for seq, at, body in rows:
            yield parse_event(body).model_copy(update={"seq": seq, "at": at})

    def last_seq(self) -> int:
        """The number of the newest event; 0 when there is none."""
        with self.database.read() as connection:
            return connection.execute(sa.select(sa.func.max(schema.events.c.seq))).scalar() or 0

    def subjects(self, prefix: str) -> list[tuple[str, str]]:
        """(campaign id, subject) of every event whose subject begins with the prefix, each once."""
        table = schema.events
        pattern = prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query = (
            sa.select(table.c.campaign_id, table.c.subject).where(table.c.subject.like(pattern, escape="\\")).distinct()
        )
        with self.database.read() as connection:
            return [(row[0], row[1]) for row in connection.execute(query)]

    def _insert(self, connection: sa.Connection, event: AnyEvent) -> AnyEvent | None:
        at = self.clock()
        values = {
            "campaign_id": event.campaign_id,
            "key": event.key,
            "type": event.type,
            "cycle": event.cycle,
            "subject": event.subject,
            "at": at,
            "version": event.version,
            "body": event.model_dump_json(exclude={"seq", "at"}),
        }
        seq = connection.execute(self._insert_event, values).scalar()
        return None if seq is None else event.model_copy(update={"seq": seq, "at": at})

    # --------------------------------------------------------------- campaigns

    def create_campaign(self, definition: Campaign, campaign_id: str | None = None) -> StoredCampaign:
        """A new campaign, under the given id or with the next free number of its name, such as `breast-cancer-2`.

        Raises ConflictError when the given id is taken.
        """
        now = self.clock()
        with self.database.write() as connection:
            number, free = self._next(connection, definition.name)
            if campaign_id is not None and not self._is_free(connection, campaign_id):
                raise ConflictError(f"there is a campaign {campaign_id!r} already", where="id", hint="take another one")
            campaign_id = campaign_id or free
            connection.execute(
                sa.insert(schema.campaigns).values(
                    id=campaign_id,
                    name=definition.name,
                    number=number,
                    fingerprint=definition.fingerprint(),
                    definition=definition.model_dump_json(),
                    status="running",
                    sessions=0,
                    created_at=now,
                    updated_at=now,
                )
            )
        return self.campaign(campaign_id)

    def next_id(self, name: str) -> str:
        """The id that a new campaign of that name would have."""
        with self.database.read() as connection:
            return self._next(connection, name)[1]

    def _next(self, connection: sa.Connection, name: str) -> tuple[int, str]:
        """The next number of a name whose id is free: another campaign may have been given it."""
        table = schema.campaigns
        number = connection.execute(sa.select(sa.func.max(table.c.number)).where(table.c.name == name)).scalar() or 0
        while True:
            number += 1
            if self._is_free(connection, campaign_id := f"{name}-{number}"):
                return number, campaign_id

    def _is_free(self, connection: sa.Connection, campaign_id: str) -> bool:
        query = sa.select(sa.func.count()).where(schema.campaigns.c.id == campaign_id)
        return not connection.execute(query).scalar()

    def campaigns(self) -> list[StoredCampaign]:
        """All campaigns, the one worked on last at the end."""
        query = sa.select(schema.campaigns).order_by(schema.campaigns.c.updated_at, schema.campaigns.c.number)
        with self.database.read() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def campaign(self, campaign_id: str) -> StoredCampaign:
        """The campaign of that id.  Raises NotFoundError."""
        with self.database.read() as connection:
            row = connection.execute(
                sa.select(schema.campaigns).where(schema.campaigns.c.id == campaign_id)
            ).one_or_none()
        if row is None:
            known = ", ".join(c.id for c in self.campaigns()[-8:]) or "none yet"
            raise NotFoundError(
                f"there is no campaign {campaign_id!r}", where=str(self.database.path or ""), hint=f"known: {known}"
            )
        return _stored(row)

    def update_campaign(
        self,
        campaign_id: str,
        *,
        status: str | None = None,
        definition: Campaign | None = None,
        new_session: bool = False,
    ) -> StoredCampaign:
        """Change status or budgets; `new_session` counts the process that begins to work on it."""
        table = schema.campaigns
        values: dict[str, object] = {"updated_at": self.clock()}
        if status is not None:
            values["status"] = status
        if definition is not None:
            values["definition"] = definition.model_dump_json()
        if new_session:
            values["sessions"] = table.c.sessions + 1
        with self.database.write() as connection:
            connection.execute(sa.update(table).where(table.c.id == campaign_id).values(**values))
        return self.campaign(campaign_id)


@functools.lru_cache(maxsize=128)
def _definition(text: str) -> Campaign:
    """Read once: it is frozen, and asked for at every look at a campaign."""
    return Campaign.model_validate_json(text)


def _stored(row: sa.Row[tuple[object, ...]]) -> StoredCampaign:
    fields = row._mapping
    return StoredCampaign(
        id=fields["id"],
        definition=_definition(fields["definition"]),
        fingerprint=fields["fingerprint"],
        status=fields["status"],
        sessions=fields["sessions"],
        created_at=fields["created_at"],
        updated_at=fields["updated_at"],
    )
