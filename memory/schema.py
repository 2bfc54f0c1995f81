"""The tables of the ledger.  `SCHEMA` is the number of this layout; a ledger of another number is refused.

A table that is missing is made when the ledger is opened, and one that is not known is left alone: a new table does not
change the number, a change to a table that was there does.
"""

from __future__ import annotations

import sqlalchemy as sa

__all__ = [
    "SCHEMA",
    "approvals",
    "audit",
    "campaigns",
    "candidates",
    "effects",
    "embeddings",
    "events",
    "facts",
    "file_changes",
    "items",
    "leases",
    "metadata",
]

SCHEMA = 1

metadata = sa.MetaData()

facts = sa.Table("ledger", metadata, sa.Column("name", sa.String, primary_key=True), sa.Column("value", sa.String))

campaigns = sa.Table(
    "campaign",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False, index=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("fingerprint", sa.String, nullable=False),
    sa.Column("definition", sa.Text, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("sessions", sa.Integer, nullable=False, default=0),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("updated_at", sa.Float, nullable=False),
    sa.UniqueConstraint("name", "number"),
)

events = sa.Table(
    "event",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("campaign_id", sa.String, nullable=False),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("cycle", sa.Integer, nullable=False),
    sa.Column("subject", sa.String, nullable=False, index=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.UniqueConstraint("campaign_id", "key"),
)
"""The one truth, append-only: every record of the council stands in the event that tells of it, as JSON in `body`."""

effects = sa.Table(
    "effect",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("campaign_id", sa.String, nullable=False, index=True),
    sa.Column("request_hash", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("owner", sa.String, nullable=False),
    sa.Column("remote_id", sa.String, nullable=False, default=""),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("result", sa.Text, nullable=False, default=""),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("updated_at", sa.Float, nullable=False),
)

leases = sa.Table(
    "lease",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("start_time", sa.BigInteger, nullable=False),
    sa.Column("boot_id", sa.String, nullable=False),
    sa.Column("host", sa.String, nullable=False),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("acquired_at", sa.Float, nullable=False),
)

embeddings = sa.Table(
    "embedding",
    metadata,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String, nullable=False, unique=True),
    sa.Column("collection", sa.String, nullable=False, index=True),
    sa.Column("campaign_id", sa.String, nullable=False),
    sa.Column("model_id", sa.String, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("vector", sa.LargeBinary, nullable=False),
    sa.Column("metadata", sa.Text, nullable=False),
    sqlite_autoincrement=True,  # a position is never given twice, even after the last row was deleted
)

candidates = sa.Table(
    "candidate",
    metadata,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String, nullable=False, unique=True),
    sa.Column("campaign_id", sa.String, nullable=False),
    sa.Column("cycle", sa.Integer, nullable=False),
    sa.Column("operator", sa.String, nullable=False),
    sa.Column("strategy", sa.String, nullable=False),
    sa.Column("parents", sa.Text, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("score", sa.Float, nullable=True),
    sa.Column("novelty", sa.Float, nullable=False),
    sa.Column("measures", sa.Text, nullable=False),
    sa.Column("touched", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("artifact", sa.String, nullable=False),
    sa.Column("diff", sa.LargeBinary, nullable=False),
    sa.Index("ix_candidate_campaign", "campaign_id", "position"),
    sqlite_autoincrement=True,
)
"""The candidates of campaigns on code, append-only.  The diff comes last: a query without it need not read past it."""

items = sa.Table(
    "item",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("root", sa.String, nullable=False),
    sa.Column("owner", sa.String, nullable=False),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("task_type", sa.String, nullable=False, default=""),
    sa.Column("success", sa.Integer),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("item_by_key", "root", "owner", "key", "seq"),
    sa.Index("item_by_task", "root", "owner", "task_type", "seq"),
    sqlite_autoincrement=True,
)
"""What agents keep in namespaces (root, owner), append-only: of the rows of a key the last one counts."""

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("action", sa.String, nullable=False, index=True),
    sa.Column("decision", sa.String, nullable=False),
    sa.Column("risk", sa.Float, nullable=False),
    sa.Column("actor", sa.String, nullable=False, index=True),
    sa.Column("route", sa.String, nullable=False),
    sa.Column("tenant", sa.String, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("hash", sa.String, nullable=False),
)
"""Every decision of the policy, append-only, without gaps.  `hash` is of `body`, which holds the hash before it."""

approvals = sa.Table(
    "approval",
    metadata,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String, nullable=False, unique=True),
    sa.Column("campaign_id", sa.String, nullable=False, index=True),
    sa.Column("cycle", sa.Integer, nullable=False),
    sa.Column("question", sa.String, nullable=False, index=True),
    sa.Column("nonce", sa.Integer, nullable=False),
    sa.Column("shown_hash", sa.String, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=True),
    sa.Column("answered_at", sa.Float, nullable=True),
    sa.Column("answer", sa.Text, nullable=False, default=""),
    sa.Column("expired_at", sa.Float, nullable=True),
    sa.Column("used_at", sa.Float, nullable=True),
    sa.UniqueConstraint("question", "nonce"),
    sqlite_autoincrement=True,
)
"""Questions to a person.  answered_at, expired_at and used_at are each set once, and only where they are still NULL."""

file_changes = sa.Table(
    "file_change",
    metadata,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String, nullable=False, unique=True),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("root", sa.Text, nullable=False),
    sa.Column("files", sa.Text, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("updated_at", sa.Float, nullable=False),
    sqlite_autoincrement=True,
)
"""Every change of the user's own files, in order; `files` name what they were and became by the hash of the content."""
