"""What may be done: the privileged actions, the facts a decision is made on, the rules, and the decision itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from core.records import Record

__all__ = [
    "ACTION_FACTS",
    "CAPABILITIES",
    "DEFAULT_TENANT",
    "Action",
    "ActionFacts",
    "Answer",
    "Decision",
    "PolicyContext",
    "RiskLevel",
    "Rule",
    "When",
]

Answer = Literal["allowed", "ask", "denied"]
"""From the mildest to the strictest; `ask`: a person decides."""

RiskLevel = Literal["unknown", "low", "medium", "high", "critical"]
"""As whoever asks judges it; `unknown`: nobody did."""

DEFAULT_TENANT = "default"
"""Whose everything is that names no tenant: the owner of the installation."""

CAPABILITIES = ("ENABLE_TRAINING", "ENABLE_AUTONOMY")
"""Variables of the environment that open actions; see `ActionFacts.capability`."""


class Action(StrEnum):
    """Everything that needs leave.  The list is closed: an action that is not on it cannot be asked for."""

    READ = "READ"
    GUIDE = "GUIDE"
    APPROVE = "APPROVE"
    JOB_CANCEL = "JOB_CANCEL"
    CAMPAIGN_START = "CAMPAIGN_START"
    TRAIN_START = "TRAIN_START"
    IMPROVEMENT_START = "IMPROVEMENT_START"
    COUNCIL_CHANGE = "COUNCIL_CHANGE"
    MEMORY_DELETE = "MEMORY_DELETE"
    CODE_APPLY = "CODE_APPLY"
    PR_PROPOSE = "PR_PROPOSE"
    DEPLOY = "DEPLOY"
    ROLLBACK = "ROLLBACK"
    REMOTE_CALL = "REMOTE_CALL"


@dataclass(frozen=True)
class ActionFacts:
    """What is true of an action wherever it is asked for; no rules file can change it."""

    does: str
    leaves_machine: bool = False
    """It sends something of ours away; refused in safe mode."""
    deploys: bool = False
    """It puts changed code live; refused in safe mode."""
    changes_code: bool = False
    """Evidence for the change counts in the risk."""
    runs_code: bool = False
    """It runs programs; how well they are isolated counts in the risk."""
    steers: bool = False
    """It halts, answers or corrects: from a person it is not held back by the autonomy level."""
    capability: str = ""
    """The variable that must be set for it."""


ACTION_FACTS: Mapping[Action, ActionFacts] = MappingProxyType({
    Action.READ: ActionFacts("look at campaigns, episodes, reports, the audit"),
    Action.GUIDE: ActionFacts("tell a running campaign what to try", steers=True),
    Action.APPROVE: ActionFacts("answer a question that waits for a person", steers=True),
    Action.JOB_CANCEL: ActionFacts("end a running job", steers=True),
    Action.CAMPAIGN_START: ActionFacts("start or resume a campaign", runs_code=True),
    Action.TRAIN_START: ActionFacts("start training over an interface", runs_code=True, capability="ENABLE_TRAINING"),
    Action.IMPROVEMENT_START: ActionFacts(
        "start an improvement cycle of a live service", runs_code=True, capability="ENABLE_AUTONOMY"
    ),
    Action.COUNCIL_CHANGE: ActionFacts("give a seat of the council to another role or persona", steers=True),
    Action.MEMORY_DELETE: ActionFacts("forget what was remembered; it does not come back"),
    Action.CODE_APPLY: ActionFacts("write a change into files of the project", changes_code=True),
    Action.PR_PROPOSE: ActionFacts(
        "push a branch and open a pull request", leaves_machine=True, changes_code=True, capability="ENABLE_AUTONOMY"
    ),
    Action.DEPLOY: ActionFacts(
        "put a change live in a running service", deploys=True, changes_code=True, capability="ENABLE_AUTONOMY"
    ),
    Action.ROLLBACK: ActionFacts("put the version before back in a running service", steers=True),
    Action.REMOTE_CALL: ActionFacts("send text or data to another machine", leaves_machine=True),
})  # fmt: skip


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has characters that cannot be shown")
    return text


Name = Annotated[str, StringConstraints(max_length=200), AfterValidator(_printable)]


class PolicyContext(Record):
    """What a decision is made on.  What is not said counts as the worst of its kind.

    Who asks, with which roles and for which tenant, is what the door found out: nothing here proves it.
    """

    safe_mode: bool = Field(default=False, description="nothing leaves the machine and nothing is deployed")
    autonomy_level: int | None = Field(default=None, ge=0, le=4, description="asked for; the rules file may hold lower")
    change_count: int = Field(default=0, ge=0, description="files that are changed, or things that are deleted")
    risk_level: RiskLevel = "unknown"
    tenant: Name = DEFAULT_TENANT
    target_tenant: Name = Field(default="", description="whose things are touched; empty: the tenant's own")
    scope: Literal["tenant", "system"] = Field(default="tenant", description="system: things of all tenants")
    actor: Name = Field(default="", description="who asks; empty: nobody knows")
    autonomous: bool = Field(default=False, description="the program asks by itself, no person told it to")
    roles: tuple[Name, ...] = ()
    capabilities: frozenset[Name] = Field(default=frozenset(), description="set in the environment")
    route: Name = Field(default="", description="the door, such as `cli` or `POST /admin/training/start`")
    dry_run: bool = Field(default=False, description="only told what would be done; nothing is sent or put live")
    verified: bool = Field(default=False, description="tests or measurements speak for the change")
    isolation_level: int | None = Field(default=None, ge=1, le=3, description="of the sandbox; None: none, or not told")
    approval_id: Name = Field(default="", description="a person's yes to exactly this; the caller has checked it")
    details: dict[str, Any] = Field(default={}, description="for the audit only: run, proposal, files …")


class When(Record):
    """Whom a rule is for.  A name may end in `*`; an empty list is for everybody.

    Only who asks, and from where, chooses the rule.  How risky it is only tightens what the chosen rule says, so that
    more risk never reaches a milder rule.
    """

    tenants: tuple[Name, ...] = ()
    actors: tuple[Name, ...] = ()
    roles: tuple[Name, ...] = ()
    routes: tuple[Name, ...] = ()


class Rule(Record):
    """One rule: for which actions and whom, the mildest it may answer, and when it denies all the same."""

    name: str = Field(min_length=1, max_length=60, pattern=r"^[a-z0-9][a-z0-9-]*$")
    actions: tuple[Action | Literal["*"], ...] = Field(min_length=1)
    effect: Literal["allow", "ask", "deny"]
    reason: str = Field(min_length=1, max_length=300)
    when: When = When()
    max_risk: float = Field(default=1.0, ge=0, le=1, description="above it: denied")
    max_changes: int | None = Field(default=None, ge=0, description="above it: denied")
    needs_verified: bool = Field(default=False, description="without evidence: denied")
    min_isolation: int | None = Field(default=None, ge=1, le=3, description="below it, or unknown: denied")


class Decision(Record):
    """The answer to one request, and why."""

    action: Action
    answer: Answer
    risk: float = Field(ge=0, le=1)
    parts: dict[str, float] = Field(description="what the risk is made of: 1 − Π (1 − part)")
    rule: str = Field(description="the rule that decided, or the part of the engine, such as `safe-mode`")
    reason: str
    at: float = Field(default=0.0, description="UTC seconds since the epoch")

    @property
    def allowed(self) -> bool:
        """Whether it may be done now: `ask` is no yes."""
        return self.answer == "allowed"
