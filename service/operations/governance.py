"""What may be done and why, and what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import Field

from core.policy import ACTION_FACTS, Action, Answer, PolicyContext, RiskLevel
from memory.audit import Audit, AuditEntry
from service.operations.desk import Desk
from service.operations.ids import PagedByNumber
from service.operations.operation import Taken, Told
from service.operations.pages import whole_number
from service.policy import Policy, explain

__all__ = [
    "AuditOf",
    "AuditPage",
    "Judged",
    "PolicyExplained",
    "audit",
    "older_than",
    "page_of",
    "policy",
    "policy_explained",
]


class Judged(Taken):
    """An action, and facts that change the answer; what is left out is as you ask now."""

    action: Action
    risk_level: RiskLevel | None = None
    change_count: Annotated[int, Field(ge=0, le=10**6)] | None = None
    verified: bool | None = None
    dry_run: bool | None = None
    autonomous: bool | None = None
    isolation_level: Annotated[int, Field(ge=1, le=3)] | None = None
    route: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="the door that is asked, such as `POST /admin/training/propose-pr`; rules may name it"
    )


class ChangeTold(Told):
    what: list[str]
    answer: Answer
    risk: float


class PolicyExplained(Told):
    """The decision as it would be, the rule and the reason, and what would change it.  Nothing is kept."""

    action: Action
    does: str
    context: dict[str, Any]
    source: str
    autonomy_level: int | None
    thresholds: dict[str, float | None]
    answer: Answer
    risk: float
    parts: dict[str, float]
    rule: str
    reason: str
    changes: list[ChangeTold]


def policy(taken: Judged, desk: Desk) -> PolicyExplained:
    facts = taken.model_dump(exclude={"action"}, exclude_none=True)
    return policy_explained(desk.gate.policy, taken.action, desk.context(**facts))


def policy_explained(in_force: Policy, action: Action, context: PolicyContext) -> PolicyExplained:
    found = explain(in_force, action, context)
    return PolicyExplained.model_validate(
        {
            "action": action.value,
            "does": ACTION_FACTS[action].does,
            "context": context.model_dump(mode="json", exclude={"version"}),
            "source": found.source,
            "autonomy_level": found.autonomy_level,
            "thresholds": {"allow": found.allow, "ask": found.ask},
            **found.decision.model_dump(mode="json", exclude={"version", "action", "at"}),
            "changes": [asdict(change) for change in found.changes],
        }
    )


class AuditOf(PagedByNumber):
    """The decisions, the newest first."""

    action: Action | None = None
    actor: Annotated[str, Field(max_length=200)] | None = None
    decision: Answer | None = None
    tenant: Annotated[str, Field(max_length=200)] | None = None
    since: Annotated[float, Field(ge=0, le=1e11, description="UTC seconds")] | None = None
    until: Annotated[float, Field(ge=0, le=1e11, description="UTC seconds")] | None = None


class AuditTold(Told):
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


class AuditPage(Told):
    entries: list[AuditTold]
    next: str | None = None


def audit(taken: AuditOf, desk: Desk) -> AuditPage:
    before = whole_number(taken.after) or None
    names = {"action", "actor", "decision", "tenant", "since", "until"}
    chosen = taken.model_dump(mode="json", include=names)
    found = page_of(Audit(desk.ledger.database), before=before, limit=taken.limit, **chosen)
    more = older_than(found, taken.limit)
    return AuditPage.model_validate(
        {"entries": [asdict(entry) for entry in found], "next": None if more is None else str(more)}
    )


def page_of(kept: Audit, *, before: int | None, limit: int, **chosen: Any) -> list[AuditEntry]:
    """The newest entries that fit, at most `limit`, older than `before`."""
    return list(kept.entries(**chosen, before=before, newest_first=True, limit=limit))


def older_than(found: Sequence[AuditEntry], limit: int) -> int | None:
    """Where the next page goes on; None when there is none."""
    return found[-1].seq if len(found) == limit and found[-1].seq > 1 else None
