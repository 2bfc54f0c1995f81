"""The audit: every decision of the policy, append-only, each entry chained to the one before by its hash.

An entry's `body` is canonical JSON of all that it says, with its number `seq` (1, 2, 3 … without gaps) and the hash of
the entry before (`previous`; 64 zeros for the first).  `hash` is the SHA-256 of `body`.  So a change, a deletion, an
insertion or a swap shows at the first entry that it touches.

What a chain cannot show by itself: that its last entries were cut off, or that somebody who may write the database
made everything from some entry on anew.  Both show against a head (`head`) that was published elsewhere before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.errors import StorageError
from core.ids import Clock, canonical, system_clock
from core.plain import plain
from core.policy import Answer, Decision, PolicyContext
from core.scrub import scrubbed_code, scrubbed_data
from memory import schema
from memory.database import Database

__all__ = ["GENESIS", "Audit", "AuditCheck", "AuditEntry", "AuditHead"]

GENESIS = "0" * 64
"""What stands before the first entry."""
VERSION = 1
PAGE = 1000
"""Entries that are read at once."""
DETAILS_CHARACTERS = 20_000
"""Of the JSON of the caller's own details; longer ones are replaced by their size and hash."""
COLUMNS = ("seq", "at", "action", "decision", "risk", "actor", "route", "tenant")
"""Columns that repeat the body, for queries; each is checked against it."""


@dataclass(frozen=True)
class AuditHead:
    """The last entry: its number (0: there is none) and hash.  Publish it, and the past can no longer be rewritten."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True)
class AuditEntry:
    """One decision.  `context` is without secrets; `decision` is allowed, ask or denied; `risk` in 0 … 1."""

    seq: int
    at: float
    action: str
    decision: str
    risk: float
    parts: dict[str, float]
    rule: str
    reason: str
    actor: str
    route: str
    tenant: str
    context: dict[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True)
class AuditCheck:
    """What `verify` found: entries read until the fault, and the number of the first broken entry."""

    entries: int
    head: AuditHead
    broken_at: int | None = None
    fault: str = ""

    @property
    def whole(self) -> bool:
        return not self.fault


class Audit:
    """The audit in one ledger's database, for any number of processes."""

    def __init__(self, database: Database, clock: Clock = system_clock) -> None:
        self._database = database
        self._clock = clock
        table = schema.audit
        self._columns = [table.c[name] for name in (*COLUMNS, "body", "hash")]
        # made once: SQLAlchemy then compiles it once
        self._insert = sa.insert(table)
        self._tip = sa.select(table.c.seq, table.c.hash).order_by(table.c.seq.desc()).limit(1)

    def append(self, decision: Decision, context: PolicyContext) -> AuditEntry:
        """Keep one decision; durable when this returns.  Raises StorageError, BusyError."""
        said = _said(decision, context)
        with self._database.write() as connection:  # writers take turns: nobody else reads this tip before we are done
            tip = connection.execute(self._tip).one_or_none()
            seq, previous = (tip.seq + 1, tip.hash) if tip else (1, GENESIS)
            content = {**said, "seq": seq, "at": decision.at or self._clock(), "previous": previous}
            body = canonical(content)
            row = {name: content[name] for name in COLUMNS} | {"body": body, "hash": _hash(body)}
            connection.execute(self._insert, row)
        return _entry(body, row["hash"])

    def head(self) -> AuditHead:
        """The last entry; publish it where whoever may write this database cannot."""
        with self._database.read() as connection:
            tip = connection.execute(self._tip).one_or_none()
        return AuditHead(tip.seq, tip.hash) if tip else AuditHead(0, GENESIS)

    def entries(
        self,
        *,
        action: str | None = None,
        actor: str | None = None,
        decision: Answer | None = None,
        tenant: str | None = None,
        since: float | None = None,
        until: float | None = None,
        after: int = 0,
        before: int | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[AuditEntry]:
        """The entries that fit, oldest first: times from `since` to before `until`, numbers between `after` and
        `before`, neither included.  A next page goes on `after` (newest first: `before`) the last number of this one.
        """
        table = schema.audit
        query = sa.select(table.c.body, table.c.hash).where(table.c.seq > after)
        for column, value in ((table.c.action, action), (table.c.actor, actor), (table.c.tenant, tenant)):
            if value is not None:
                query = query.where(column == value)
        if decision is not None:
            query = query.where(table.c.decision == decision)
        if since is not None:
            query = query.where(table.c.at >= since)
        if until is not None:
            query = query.where(table.c.at < until)
        if before is not None:
            query = query.where(table.c.seq < before)
        query = query.order_by(table.c.seq.desc() if newest_first else table.c.seq).limit(limit)
        with self._database.read() as connection:
            rows = connection.execution_options(yield_per=PAGE).execute(query)
            for body, hashed in rows:
                yield _entry(body, hashed)

    def verify(self, expected_head: AuditHead | None = None) -> AuditCheck:
        """Read the whole chain; names the first broken entry and stops there.

        With `expected_head`, published before: the chain must still hold that entry; it may have grown since.
        """
        previous, count = GENESIS, 0
        with self._database.read() as connection:
            query = sa.select(*self._columns).order_by(schema.audit.c.seq)
            for row in connection.execution_options(yield_per=PAGE).execute(query):
                fault = _fault(row, count + 1, previous)
                at = min(row.seq, count + 1)
                if not fault and expected_head and row.seq == expected_head.seq and row.hash != expected_head.hash:
                    fault, at = "it is whole, but not the entry that was published: the past was written anew", row.seq
                if fault:
                    return AuditCheck(count, AuditHead(count, previous), at, fault)
                previous, count = row.hash, row.seq
        head = AuditHead(count, previous)
        if expected_head and count < expected_head.seq:
            fault = f"the end is missing: entry {expected_head.seq} was published, the last one here is {count}"
            return AuditCheck(count, head, count + 1, fault)
        return AuditCheck(count, head)


def _said(decision: Decision, context: PolicyContext) -> dict[str, Any]:
    """What an entry says besides its place in the chain; without secrets."""
    told = plain(context.model_dump(mode="json", exclude={"version", "actor", "route", "tenant", "details"}))
    told["capabilities"] = sorted(context.capabilities)
    text = canonical(scrubbed_data(plain(context.details))).encode("utf-8", "replace").decode()
    details = json.loads(text)
    if len(text) > DETAILS_CHARACTERS:
        details = {"(cut)": f"{len(text)} characters, sha256 {_hash(text)}"}
    return {
        "version": VERSION,
        "action": decision.action.value,
        "decision": decision.answer,
        "risk": decision.risk,
        "parts": decision.parts,
        "rule": decision.rule,
        "reason": scrubbed_code(decision.reason),
        # names are kept as they are, an address too: they say who it was; a key in their place is still none
        "actor": scrubbed_code(context.actor),
        "route": scrubbed_code(context.route),
        "tenant": scrubbed_code(context.tenant),
        "context": {**scrubbed_data(told), "details": details},
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _fault(row: sa.Row[Any], expected: int, previous: str) -> str:
    """Why this row cannot be the entry `expected` after the hash `previous`; empty when it is."""
    if row.seq != expected:
        return f"it is missing; the next one is {row.seq}" if row.seq > expected else "it stands before the first one"
    if _hash(row.body) != row.hash:
        return "its text does not have its hash: it was changed"
    try:
        content = json.loads(row.body)
        differs = [name for name in COLUMNS if content[name] != getattr(row, name)]
        if content["previous"] != previous:
            return "it does not follow the entry before: entries were changed, moved or put in"
    except (ValueError, KeyError, TypeError):
        return "its text is no entry"
    return f"its column {differs[0]} is not what its text says: it was changed" if differs else ""


def _entry(body: str, hashed: str) -> AuditEntry:
    try:
        content = json.loads(body)
        del content["version"]
        return AuditEntry(**content, hash=hashed)
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(
            "an entry of the audit cannot be read: it was changed",
            where=f"hash {hashed[:60]}",
            hint="`python run_graph.py audit verify` names the first broken entry",
        ) from error
