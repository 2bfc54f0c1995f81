"""Once-only effects: a row with a key, written before the effect starts.

No engine makes an outside effect exactly once.  So: `begin` writes the intent; whoever carries it out notes what it
started (`started`), asks the world first after a restart, and stores the result under its fence (`finish`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import sqlalchemy as sa

from core.errors import ConflictError
from core.ids import Clock, content_hash
from core.process import ProcessIdentity, identify
from memory import schema
from memory.database import Database

__all__ = ["Effect", "Effects"]

State = Literal["claimed", "started", "finished"]


@dataclass(frozen=True)
class Effect:
    """`fence` counts the claims; `remote_id` is the JSON of what was started; `result` the JSON of what came of it."""

    key: str
    kind: str
    campaign_id: str
    state: State
    fence: int
    owner: ProcessIdentity
    remote_id: str
    request: dict[str, Any]
    result: str
    created_at: float
    updated_at: float


class Effects:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, key: str, kind: str, campaign_id: str, request: dict[str, Any]) -> Effect:
        """Claim the effect, or take over what another owner left; a finished one comes back with its result.

        The caller holds the lease of the campaign, so whatever owner stands in the row is this process or gone.
        Raises ConflictError when the same key stands for another request.
        """
        table = schema.effects
        now = self._clock()
        request_hash = content_hash(request)
        with self._database.write() as connection:
            row = connection.execute(sa.select(table).where(table.c.key == key)).one_or_none()
            if row is None:
                connection.execute(
                    sa.insert(table).values(
                        key=key,
                        kind=kind,
                        campaign_id=campaign_id,
                        request_hash=request_hash,
                        state="claimed",
                        fence=1,
                        owner=json.dumps(identify()),
                        remote_id="",
                        request=json.dumps(request),
                        result="",
                        created_at=now,
                        updated_at=now,
                    )
                )
            elif row.request_hash != request_hash:
                raise ConflictError(
                    f"effect {key} was begun with another request", hint="report this: keys must come from content"
                )
            elif row.state != "finished":
                connection.execute(
                    sa.update(table)
                    .where(table.c.key == key)
                    .values(fence=row.fence + 1, owner=json.dumps(identify()), updated_at=now)
                )
            return _effect(connection.execute(sa.select(table).where(table.c.key == key)).one())

    def started(self, effect: Effect, remote_id: str) -> None:
        """Note what was started (such as the identity of a process), so that a successor can find it."""
        self._update(effect, state="started", remote_id=remote_id)

    def finish(self, effect: Effect, result: str) -> bool:
        """Store the result; False when another owner has claimed the effect since (its result counts, not this)."""
        return self._update(effect, state="finished", result=result)

    def get(self, key: str) -> Effect | None:
        """The effect of that key, if it was ever begun."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(schema.effects).where(schema.effects.c.key == key)).one_or_none()
        return None if row is None else _effect(row)

    def forget(self, kind: str, before: float) -> int:
        """Delete the effects of a kind that were last touched before that time; answers how many."""
        table = schema.effects
        with self._database.write() as connection:
            gone = connection.execute(sa.delete(table).where(table.c.kind == kind, table.c.updated_at < before))
        return gone.rowcount

    def put_finished(self, connection: sa.Connection, effects: Sequence[Effect]) -> None:
        """Keep effects that another campaign has finished, under their new keys, in the caller's transaction."""
        for effect in effects:
            values = {**asdict(effect), "owner": json.dumps(effect.owner), "request": json.dumps(effect.request)}
            values |= {"request_hash": content_hash(effect.request), "state": "finished"}
            connection.execute(self._database.insert(schema.effects).values(**values).on_conflict_do_nothing())

    def of(self, campaign_id: str | None = None, kind: str | None = None) -> list[Effect]:
        """The effects of a campaign, or of one kind whosever they are, oldest first."""
        query = sa.select(schema.effects)
        if campaign_id is not None:
            query = query.where(schema.effects.c.campaign_id == campaign_id)
        if kind is not None:
            query = query.where(schema.effects.c.kind == kind)
        with self._database.read() as connection:
            return [_effect(row) for row in connection.execute(query.order_by(schema.effects.c.created_at))]

    def _update(self, effect: Effect, **values: str) -> bool:
        table = schema.effects
        with self._database.write() as connection:
            done = connection.execute(
                sa.update(table)
                .where(table.c.key == effect.key, table.c.fence == effect.fence, table.c.state != "finished")
                .values(updated_at=self._clock(), **values)
            )
        return done.rowcount == 1


def _effect(row: sa.Row[tuple[Any, ...]]) -> Effect:
    fields = row._mapping
    return Effect(
        key=fields["key"],
        kind=fields["kind"],
        campaign_id=fields["campaign_id"],
        state=fields["state"],
        fence=fields["fence"],
        owner=ProcessIdentity(*json.loads(fields["owner"])),
        remote_id=fields["remote_id"],
        request=json.loads(fields["request"]),
        result=fields["result"],
        created_at=fields["created_at"],
        updated_at=fields["updated_at"],
    )
