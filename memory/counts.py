"""Counts of what the ledger holds, over all campaigns: read once, and from then on only what was appended since.

Sums are kept in memory, so that a scrape every few seconds reads a few rows however long the ledger is.  Every reader
of the same ledger counts the same, whatever process wrote it: they only ever grow.  What a fork has of its parent's
past happened once, and counts once.
"""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from core.campaign import Objective
from memory import schema
from memory.ledger import Ledger

__all__ = ["OTHER", "CampaignFigures", "Counts"]

MODELS = 20
"""Names of models that are told apart; the first ones that were asked."""
OTHER = "other"
"""The name of all further ones."""
READ_TYPES = (
    "BaselineMeasured", "BestImproved", "JobFinished", "JobStarted", "ModelCalled", "ProposalMade", "ProposalRuled",
    "RoleFailed", "VerdictReached", "VoteCast",
)  # fmt: skip
"""Events whose body is read; of all others it is enough that they are there."""

FIGURES = ("BaselineMeasured", "BestImproved")
"""Of those, the ones that say how a campaign stands; the others are counted."""

Key = tuple[str, ...]


@dataclass
class CampaignFigures:
    """One campaign: its status, its last finished cycle, and scores as values of its own metric.  Times in UTC seconds.

    `best` is the value at which an improvement was last told, `baseline` the mean over the baseline's seeds.
    """

    id: str
    status: str
    updated_at: float
    metric: str
    last_cycle: int = 0
    best: float | None = None
    baseline: float | None = None


@dataclass
class Counts:
    """Counts by what tells them apart; `catch_up` brings them up to date.  Safe under threads, one at a time."""

    ledger: Ledger
    events: Counter[str] = field(default_factory=Counter)
    """By type; a fork's copies too, for they are in the ledger."""
    cycles_finished: int = 0
    approvals_waiting: int = 0
    jobs_started: Counter[str] = field(default_factory=Counter)
    """Attempts, by purpose."""
    jobs: Counter[Key] = field(default_factory=Counter)
    """By status and purpose; so are the seconds."""
    job_seconds: dict[Key, float] = field(default_factory=lambda: defaultdict(float))
    job_cpu_seconds: dict[Key, float] = field(default_factory=lambda: defaultdict(float))
    proposals: Counter[str] = field(default_factory=Counter)
    """By kind."""
    rulings: Counter[str] = field(default_factory=Counter)
    """By decision."""
    votes: Counter[str] = field(default_factory=Counter)
    """By whether they approve, `true` or `false`."""
    verdicts: Counter[str] = field(default_factory=Counter)
    """By answer."""
    failures: Counter[str] = field(default_factory=Counter)
    """Proposers and voters that raised, by role."""
    model_calls: Counter[Key] = field(default_factory=Counter)
    """By model, role and `answered` or `failed`."""
    model_tokens: Counter[Key] = field(default_factory=Counter)
    """By model and `input` or `output`."""
    model_usd: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    model_seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    audited: Counter[Key] = field(default_factory=Counter)
    """Decisions of the policy, by action and answer."""
    campaigns: Counter[str] = field(default_factory=Counter)
    """By status."""
    seq: int = 0
    audit_seq: int = 0
    bytes: int = 0
    """What the ledger takes on the disk."""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._models: set[str] = set()
        self._objectives: dict[str, Objective] = {}
        self._cycles: dict[str, int] = {}
        self._forked_at: dict[str, float] = {}
        self._best: dict[str, float] = {}
        self._baseline: dict[str, float] = {}

    def catch_up(self, newest: int) -> list[CampaignFigures]:
        """Count what was appended since, by any process; answers the `newest` campaigns, the last worked on first."""
        with self._lock, self.ledger.database.read() as connection:
            self._read_events(connection)
            self._read_audit(connection)
            self.approvals_waiting = _waiting(connection, self.ledger.clock())
            self.bytes = _size(connection)
            return self._read_campaigns(connection, newest)

    # ------------------------------------------------------------------ reading

    def _read_events(self, connection: sa.Connection) -> None:
        table = schema.events
        newest = connection.execute(sa.select(sa.func.max(table.c.seq))).scalar() or 0
        fresh = sa.and_(table.c.seq > self.seq, table.c.seq <= newest)
        types = sa.select(table.c.type, sa.func.count()).where(fresh).group_by(table.c.type)
        forks = sa.select(table.c.campaign_id, table.c.at).where(fresh, table.c.type == "ForkedFrom")
        cycles = sa.select(table.c.campaign_id, table.c.cycle, table.c.at).where(fresh, table.c.type == "CycleFinished")
        bodies = sa.select(table.c.campaign_id, table.c.type, table.c.body, table.c.at).where(
            fresh, table.c.type.in_(READ_TYPES)
        )
        counted = connection.execute(types).all()
        forked = connection.execute(forks).all()
        finished = connection.execute(cycles).all()
        told = connection.execute(bodies.order_by(table.c.seq)).all()
        self.seq = newest  # all of it is read: what fails from here on is not counted twice
        for name, count in counted:
            self.events[name] += count
        self._forked_at.update((campaign, at) for campaign, at in forked)
        for campaign, cycle, at in finished:
            self._cycles[campaign] = max(cycle, self._cycles.get(campaign, 0))
            self.cycles_finished += not self._is_copy(campaign, at)
        for campaign, name, body, at in told:
            if name in FIGURES:
                self._keep_figure(campaign, name, json.loads(body))
            elif not self._is_copy(campaign, at):
                self._count(name, json.loads(body))

    def _is_copy(self, campaign: str, at: float) -> bool:
        """A fork's events keep the time at which they happened in the parent; all others come after the fork."""
        return at < self._forked_at.get(campaign, 0.0)

    def _keep_figure(self, campaign: str, name: str, told: Mapping[str, Any]) -> None:
        if name == "BestImproved":
            self._best[campaign] = told["score"]
        else:
            scores = told["baseline"]["scores"]
            self._baseline[campaign] = sum(scores) / len(scores)

    def _count(self, name: str, told: Mapping[str, Any]) -> None:
        match name:
            case "JobStarted":
                self.jobs_started[told["purpose"]] += 1
            case "JobFinished":
                outcome = told["outcome"]
                key = (outcome["status"], told["purpose"])
                self.jobs[key] += 1
                self.job_seconds[key] += outcome["duration_s"]
                self.job_cpu_seconds[key] += outcome["cpu_s"]
            case "ProposalMade":
                self.proposals[told["proposal"]["kind"]] += 1
            case "ProposalRuled":
                self.rulings[told["ruling"]["decision"]] += 1
            case "VoteCast":
                self.votes["true" if told["vote"]["score"] > 0 else "false"] += 1
            case "VerdictReached":
                self.verdicts[told["verdict"]["answer"]] += 1
            case "RoleFailed":
                self.failures[told["role"]] += 1
            case "ModelCalled":
                self._count_call(told)

    def _count_call(self, told: Mapping[str, Any]) -> None:
        model = told["model_id"]
        if model not in self._models and len(self._models) >= MODELS:
            model = OTHER
        self._models.add(model)
        self.model_calls[model, told["role"], "failed" if told["error"] else "answered"] += 1
        for direction in ("input", "output"):
            self.model_tokens[model, direction] += told[f"{direction}_tokens"]
        self.model_usd[model] += told["cost_usd"]
        self.model_seconds[model] += told["duration_s"]

    def _read_audit(self, connection: sa.Connection) -> None:
        table = schema.audit
        newest = connection.execute(sa.select(sa.func.max(table.c.seq))).scalar() or 0
        query = sa.select(table.c.action, table.c.decision, sa.func.count()).where(
            table.c.seq > self.audit_seq, table.c.seq <= newest
        )
        for action, decision, count in connection.execute(query.group_by(table.c.action, table.c.decision)):
            self.audited[action, decision] += count
        self.audit_seq = newest

    def _read_campaigns(self, connection: sa.Connection, newest: int) -> list[CampaignFigures]:
        table = schema.campaigns
        by_status = sa.select(table.c.status, sa.func.count()).group_by(table.c.status)
        self.campaigns = Counter(dict(map(tuple, connection.execute(by_status))))
        query = sa.select(table.c.id, table.c.status, table.c.updated_at).order_by(
            table.c.updated_at.desc(), table.c.id
        )
        found = []
        for name, status, updated_at in connection.execute(query.limit(newest)).all():
            if name not in self._objectives:  # it never changes: it is part of what a campaign asks for
                text = connection.execute(sa.select(table.c.definition).where(table.c.id == name)).scalar_one()
                self._objectives[name] = Objective.model_validate(json.loads(text)["objective"])
            objective, best, baseline = self._objectives[name], self._best.get(name), self._baseline.get(name)
            found.append(
                CampaignFigures(
                    name,
                    status,
                    updated_at,
                    objective.metric,
                    self._cycles.get(name, 0),
                    None if best is None else objective.value(best),
                    None if baseline is None else objective.value(baseline),
                )
            )
        return found


def _waiting(connection: sa.Connection, now: float) -> int:
    table = schema.approvals
    late = sa.and_(table.c.expires_at.is_not(None), table.c.expires_at <= now)
    open_ = sa.and_(table.c.answered_at.is_(None), table.c.expired_at.is_(None), sa.not_(late))
    return int(connection.execute(sa.select(sa.func.count()).select_from(table).where(open_)).scalar_one())


def _size(connection: sa.Connection) -> int:
    if connection.dialect.name == "postgresql":
        return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    return int(pages) * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())
