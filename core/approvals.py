"""What waits for a person, and what the person said: questions, answers, rules that answer from now on.

A question is bound to exactly what was shown: its id and `shown_hash` are made from it.  Whoever answers says which
hash they saw.  The first answer counts, from whatever door it comes.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import Field, model_validator

from core.ids import content_hash
from core.records import Config, Record

__all__ = [
    "HIGH_FROM",
    "MEDIUM_FROM",
    "Answer",
    "AnswerKind",
    "Approval",
    "ApprovalRule",
    "Asks",
    "Scope",
    "State",
    "Tier",
    "tier_of",
]

Asks = Literal["proposal", "action"]
"""What the yes is for: running a proposal of the council, or a privileged action of the policy."""

AnswerKind = Literal["accept", "edit", "respond", "ignore"]
"""Yes; yes, in another form; no, with a word to the council; no."""

State = Literal["waiting", "answered", "expired", "used"]
Tier = Literal["low", "medium", "high"]
Scope = Literal["campaign", "project"]

MEDIUM_FROM, HIGH_FROM = 0.3, 0.6
"""Risks from which on a question is of medium and of high risk.  A judgement, not a measurement."""

TEXT_CHARACTERS = 10_000


def tier_of(risk: float) -> Tier:
    """The tier of a risk in 0 … 1."""
    return "high" if risk >= HIGH_FROM else "medium" if risk >= MEDIUM_FROM else "low"


class Answer(Record):
    """What a person said.  Who, through which door and when is set when it is kept."""

    kind: AnswerKind
    config: Config = Field(default={}, description="of `edit`: the whole configuration that is to run")
    text: str = Field(default="", max_length=TEXT_CHARACTERS, description="of `respond`: guidance; else a reason")
    remember: Scope | None = Field(default=None, description="of `accept`: say so from now on, to the same proposer")
    by: str = ""
    door: str = Field(default="", description="terminal, command line, rest, mcp, callback, rule …")
    at: float = Field(default=0.0, description="UTC seconds")

    @model_validator(mode="after")
    def _whole(self) -> Answer:
        if (self.kind == "edit") != bool(self.config):
            raise ValueError("the answer `edit` brings a configuration, and no other does")
        if self.kind == "respond" and not self.text.strip():
            raise ValueError("the answer `respond` brings a text")
        try:
            json.dumps(self.config, ensure_ascii=False, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError("a configuration is plain JSON: text, numbers, lists") from error
        if self.remember and self.kind != "accept":
            raise ValueError("only `accept` can be remembered")
        return self

    @property
    def says_yes(self) -> bool:
        return self.kind in ("accept", "edit")


class Approval(Record):
    """One question to a person.  `waiting` until `answered` or `expired`; the yes to an action is `used` once.

    Everything up to `shown_hash` is what is shown, and never changes.
    """

    id: str
    nonce: int = Field(default=1, ge=1, description="the how-manieth asking of this: a yes to one is none to the next")
    campaign_id: str = Field(default="", description="empty: it belongs to no campaign")
    cycle: int = 0
    asks: Asks
    subject: str = Field(description="the proposal's id, or the action and the hash of the request")
    kind: str = Field(description="experiment, code or comment; or the action's name")
    asker: str = Field(default="", description="the proposer, or who asks for the action")
    title: str
    what: str = Field(description="what happens on a yes")
    why: str
    votes: tuple[str, ...] = Field(default=(), description="a line a voter")
    risk: float = Field(ge=0, le=1)
    tier: Tier
    shown: dict[str, Any] = Field(default={}, description="`config` and `before`, a `diff`, or facts of the request")
    without_answer: str
    allowed: tuple[AnswerKind, ...] = ("accept", "respond", "ignore")
    shown_hash: str = Field(description="SHA-256 of all of the above but the id")
    created_at: float = 0.0
    expires_at: float | None = Field(default=None, description="from then on it counts as not answered; None: never")
    state: State = "waiting"
    answer: Answer | None = None
    used_at: float | None = None

    @classmethod
    def make(cls, *, risk: float, nonce: int = 1, **shown: Any) -> Approval:
        """A question with its hash and its id."""
        draft = cls(id="", shown_hash="", risk=risk, tier=tier_of(risk), nonce=nonce, **shown)
        hashed = content_hash(draft._shown())
        return draft.model_copy(update={"id": f"a-{hashed[:10]}", "shown_hash": hashed})

    def asked_again(self, nonce: int) -> Approval:
        """The same question as another asking."""
        draft = self.model_copy(update={"nonce": nonce})
        hashed = content_hash(draft._shown())
        return draft.model_copy(update={"id": f"a-{hashed[:10]}", "shown_hash": hashed})

    @property
    def question(self) -> str:
        """The hash of what is asked, whichever asking it is."""
        return content_hash(self._shown() | {"nonce": 0})

    @property
    def says_yes(self) -> bool:
        return self.answer is not None and self.answer.says_yes

    def _shown(self) -> dict[str, Any]:
        later = {"id", "version", "shown_hash", "created_at", "expires_at", "state", "answer", "used_at"}
        return self.model_dump(mode="json", exclude=later)


class ApprovalRule(Record):
    """A yes that was remembered: proposals of `proposer` and `kind` up to a risk, in one campaign or in all of them."""

    id: str
    scope: Scope
    campaign_id: str = Field(default="", description="empty with the scope `project`")
    proposer: str
    kind: str
    max_risk: float = Field(ge=0, le=1)
    approval_id: str = Field(description="the question whose answer it was")
    by: str
    at: float

    @classmethod
    def of(cls, approval: Approval, answer: Answer) -> ApprovalRule:
        """The rule that an accepted and remembered question makes: as risky as it was, and no more."""
        assert answer.remember is not None
        return cls(
            id=f"r-{approval.shown_hash[:10]}",
            scope=answer.remember,
            campaign_id=approval.campaign_id if answer.remember == "campaign" else "",
            proposer=approval.asker,
            kind=approval.kind,
            max_risk=approval.risk,
            approval_id=approval.id,
            by=answer.by,
            at=answer.at,
        )

    def covers(self, approval: Approval) -> bool:
        """Whether it answers this question."""
        return (
            approval.asks == "proposal"
            and self.campaign_id in ("", approval.campaign_id)
            and (self.proposer, self.kind) == (approval.asker, approval.kind)
            and approval.risk <= self.max_risk
        )
