"""What people say to a campaign: answers to its questions, and guidance."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from core.approvals import Answer, Approval, ApprovalRule
from core.events.event import Event
from core.guidance import Door, Guidance, GuidanceChange, Unread, WhyUnused

__all__ = [
    "ApprovalAnswered",
    "ApprovalAsked",
    "ApprovalExpired",
    "ApprovalRuleForgotten",
    "ApprovalRuleMade",
    "ApprovalUsed",
    "GuidanceDelivered",
    "GuidanceDropped",
    "GuidanceGiven",
    "GuidanceUnused",
    "GuidanceUsed",
]


class ApprovalAsked(Event):
    """A question was parked for a person; once, however often it is asked again after a crash."""

    about = ("approval.id",)
    type: Literal["ApprovalAsked"] = "ApprovalAsked"
    approval: Approval


class ApprovalAnswered(Event):
    """The answer that counts: the first one."""

    about = ("approval_id",)
    type: Literal["ApprovalAnswered"] = "ApprovalAnswered"
    approval_id: str
    answer: Answer


class ApprovalExpired(Event):
    """Nobody answered in time; what had been announced for that happens."""

    about = ("approval_id",)
    type: Literal["ApprovalExpired"] = "ApprovalExpired"
    approval_id: str
    consequence: str


class ApprovalUsed(Event):
    """The yes to a privileged action was used up."""

    about = ("approval_id",)
    type: Literal["ApprovalUsed"] = "ApprovalUsed"
    approval_id: str
    request: str = Field(default="", description="for which request under an idempotency key; it may go on with it")


class ApprovalRuleMade(Event):
    """A person had their yes remembered; `campaign_id` is empty for a rule of all campaigns."""

    about = ("rule.id",)
    type: Literal["ApprovalRuleMade"] = "ApprovalRuleMade"
    rule: ApprovalRule


class ApprovalRuleForgotten(Event):
    about = ("rule_id",)
    type: Literal["ApprovalRuleForgotten"] = "ApprovalRuleForgotten"
    rule_id: str
    by: str


class GuidanceGiven(Event):
    """A sentence that steers has come in, by whatever door; any process may tell it while another runs the campaign."""

    about = ("guidance.id",)
    type: Literal["GuidanceGiven"] = "GuidanceGiven"
    guidance: Guidance

    @property
    def key(self) -> str:
        return f"{self.type}:{self.guidance.id}"


class GuidanceDelivered(Event):
    """A node was the first to be handed a guidance; from then on every node is, until it is dropped."""

    about = ("guidance.id",)
    type: Literal["GuidanceDelivered"] = "GuidanceDelivered"
    guidance: Guidance = Field(description="with what it was understood to mean")
    node: str

    @property
    def key(self) -> str:
        return f"{self.type}:{self.guidance.id}"


class GuidanceUsed(Event):
    """Proposals of a cycle are what they are because of a guidance."""

    about = ("guidance_id", "node")
    type: Literal["GuidanceUsed"] = "GuidanceUsed"
    guidance_id: str
    node: str = Field(description="where: proposer, voter, supervisor or director")
    proposals: tuple[str, ...] = ()
    changes: tuple[GuidanceChange, ...] = ()
    note: str = Field(default="", description="what it changed beside proposals")


class GuidanceUnused(Event):
    """A guidance, or a part of it, had no effect in a cycle, and why.  One that was dropped has none from here on."""

    about = ("guidance_id", "why")
    type: Literal["GuidanceUnused"] = "GuidanceUnused"
    guidance_id: str
    why: WhyUnused
    reason: str
    node: str = "director"
    unread: tuple[Unread, ...] = ()


class GuidanceDropped(Event):
    """A person took a guidance back; the campaign heeds it from the next node on."""

    about = ("guidance_id",)
    type: Literal["GuidanceDropped"] = "GuidanceDropped"
    guidance_id: str
    author: str = "human"
    door: Door = "library"

    @property
    def key(self) -> str:
        return f"{self.type}:{self.guidance_id}"
