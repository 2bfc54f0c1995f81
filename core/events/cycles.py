"""What the council does in a cycle: direction, proposals, votes, rulings, lessons."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from core.events.event import Event
from core.records import Direction, Lesson, Outcome, Proposal, Ruling, Tally, TrackRecord, Trajectory, Vote

__all__ = [
    "CycleFinished",
    "CycleStarted",
    "DirectionSet",
    "LessonLearned",
    "ProposalApplied",
    "ProposalMade",
    "ProposalRuled",
    "ProposalSharpened",
    "ProposalTallied",
    "RoleFailed",
    "TrackRecordUpdated",
    "TrajectoryKept",
    "VoteCast",
]


class CycleStarted(Event):
    type: Literal["CycleStarted"] = "CycleStarted"


class DirectionSet(Event):
    type: Literal["DirectionSet"] = "DirectionSet"
    direction: Direction


class ProposalMade(Event):
    about = ("proposal.id",)
    type: Literal["ProposalMade"] = "ProposalMade"
    proposal: Proposal


class ProposalSharpened(Event):
    """The feedback subgraph has worked on a code or comment proposal; the vote is on what it has become.

    Rewards are those of the discriminator, in 0 … 1, over the files that could be analysed.
    """

    about = ("proposal.id",)
    type: Literal["ProposalSharpened"] = "ProposalSharpened"
    proposal: Proposal
    before: float
    after: float
    rounds: int
    guidance: tuple[str, ...] = Field(default=(), description="what the kept rounds were asked")


class ProposalApplied(Event):
    """An accepted code or comment proposal was carried out."""

    about = ("outcome.proposal_id",)
    type: Literal["ProposalApplied"] = "ProposalApplied"
    outcome: Outcome


class VoteCast(Event):
    about = ("vote.voter", "vote.proposal_id")
    type: Literal["VoteCast"] = "VoteCast"
    vote: Vote


class ProposalTallied(Event):
    about = ("tally.proposal_id",)
    type: Literal["ProposalTallied"] = "ProposalTallied"
    tally: Tally


class ProposalRuled(Event):
    """The supervisor's ruling; with `approval`, what a person (or the campaign's mode) has made of it since."""

    about = ("ruling.proposal_id",)
    type: Literal["ProposalRuled"] = "ProposalRuled"
    ruling: Ruling
    approval: str = Field(default="", description="the question's id, or the mode that decided it")

    @property
    def key(self) -> str:
        return f"{self.type}:{self.cycle}:{self.subject}" + (f":{self.approval}" if self.approval else "")


class RoleFailed(Event):
    """A proposer or voter raised; the cycle went on without its answer."""

    about = ("role", "name")
    type: Literal["RoleFailed"] = "RoleFailed"
    role: str
    name: str
    error: str


class LessonLearned(Event):
    about = ("lesson.id",)
    type: Literal["LessonLearned"] = "LessonLearned"
    lesson: Lesson


class TrajectoryKept(Event):
    about = ("trajectory.id",)
    type: Literal["TrajectoryKept"] = "TrajectoryKept"
    trajectory: Trajectory


class TrackRecordUpdated(Event):
    about = ("record.role", "record.name")
    type: Literal["TrackRecordUpdated"] = "TrackRecordUpdated"
    record: TrackRecord


class CycleFinished(Event):
    type: Literal["CycleFinished"] = "CycleFinished"
    stages: dict[str, dict[str, Any]] = Field(description="one per node: what it did, in figures")
    metrics: dict[str, float] = Field(description="total_proposals, approved_proposals, …")
