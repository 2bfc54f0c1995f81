"""One frozen event per thing that happened.  Everything else (screen, reports, audit, exports) listens to these.

An event's `key` is unique within its campaign: telling the same thing twice, after a crash, is one event.
Events of a class with `kept = False` pass by live and are not stored.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, TypeAdapter

from core.approvals import Answer, Approval, ApprovalRule
from core.event import Event
from core.forks import ForkPoint
from core.guidance import Door, Guidance, GuidanceChange, Unread, WhyUnused
from core.live_events import (
    DegradationSeen,
    ImprovementAssessed,
    ImprovementDeployed,
    ImprovementNotDrafted,
    ImprovementReported,
    ImprovementRolledBack,
    ImprovementValidated,
    OpportunityFound,
    TelemetryAnalysed,
)
from core.records import (
    Baseline,
    Challenge,
    Direction,
    Lesson,
    Outcome,
    Proposal,
    Ruling,
    SealedResult,
    Tally,
    TrackRecord,
    Trajectory,
    Verdict,
    Vote,
)

__all__ = [
    "AnyEvent",
    "ApprovalAnswered",
    "ApprovalAsked",
    "ApprovalExpired",
    "ApprovalRuleForgotten",
    "ApprovalRuleMade",
    "ApprovalUsed",
    "BaseTaken",
    "BaselineMeasured",
    "BestChallenged",
    "BestImproved",
    "CampaignFinished",
    "CampaignInterrupted",
    "CampaignResumed",
    "CampaignStarted",
    "ControlFinished",
    "CycleFinished",
    "CycleStarted",
    "DegradationSeen",
    "DirectionSet",
    "Event",
    "ForkedFrom",
    "GuidanceDelivered",
    "GuidanceDropped",
    "GuidanceGiven",
    "GuidanceUnused",
    "GuidanceUsed",
    "ImprovementAssessed",
    "ImprovementDeployed",
    "ImprovementNotDrafted",
    "ImprovementReported",
    "ImprovementRolledBack",
    "ImprovementValidated",
    "JobFinished",
    "JobReported",
    "JobStarted",
    "LessonLearned",
    "ModelCalled",
    "ModelChosen",
    "OpportunityFound",
    "ProposalApplied",
    "ProposalMade",
    "ProposalRuled",
    "ProposalSharpened",
    "ProposalTallied",
    "Purpose",
    "RoleFailed",
    "SealedEvaluated",
    "TelemetryAnalysed",
    "TrackRecordUpdated",
    "TrainingChanged",
    "TrainingReported",
    "TrajectoryKept",
    "VerdictReached",
    "VoteCast",
    "parse_event",
]


Purpose = Literal["baseline", "proposal", "confirmation", "verdict", "control", "sealed"]
"""What a job is run for."""


class CampaignStarted(Event):
    type: Literal["CampaignStarted"] = "CampaignStarted"
    name: str
    kind: str
    seed: int


class ForkedFrom(Event):
    """A campaign was begun from the past of another: its events up to there are those of the parent, copied.

    `root` is the campaign at the beginning of the line; records keep the ids that they had there.
    """

    type: Literal["ForkedFrom"] = "ForkedFrom"
    parent: str
    root: str
    point: ForkPoint
    checkpoint: str = Field(default="", description="the id of LangGraph's checkpoint, where one was named")
    edits: dict[str, Any] = Field(default={}, description="what was changed: `set`, `guidance`, `agenda`, `rulings`")
    by: str = "human"

    @property
    def subject(self) -> str:
        return self.root


class BaseTaken(Event):
    """The code of a campaign as it stood when it began; `commit` is git's, with `+` where files differed from it."""

    type: Literal["BaseTaken"] = "BaseTaken"
    digest: str
    commit: str = ""
    files: int
    changeable: tuple[str, ...]


class CampaignResumed(Event):
    type: Literal["CampaignResumed"] = "CampaignResumed"
    session: int = Field(description="the how-manieth process that works on it")

    @property
    def subject(self) -> str:
        return str(self.session)


class CampaignInterrupted(Event):
    type: Literal["CampaignInterrupted"] = "CampaignInterrupted"
    session: int
    reason: str

    @property
    def subject(self) -> str:
        return str(self.session)


class CampaignFinished(Event):
    type: Literal["CampaignFinished"] = "CampaignFinished"
    session: int
    reason: str

    @property
    def subject(self) -> str:
        return str(self.session)


class ModelChosen(Event):
    """Which language model `auto` came to, once a campaign; later sessions keep to it."""

    type: Literal["ModelChosen"] = "ModelChosen"
    asked: str
    model: str = Field(description="such as ollama:llama3.2, or none")
    reason: str

    @property
    def subject(self) -> str:
        return self.asked


class ModelCalled(Event):
    """A language model was asked by a seat of the council: what it took, and the error where it gave no answer."""

    type: Literal["ModelCalled"] = "ModelCalled"
    call: str = Field(description="hash of everything that was asked")
    role: str
    seat: str
    prompt: str
    edition: str
    model_id: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    duration_s: float = 0.0
    attempts: int = 1
    repair: int = Field(default=0, description="0: the first call of an answer, 1: its first repair, …")
    source: Literal["model", "replay", "stored"] = "model"
    error: str = ""

    @property
    def subject(self) -> str:
        return f"{self.role}:{self.seat}:{self.call}" + (":failed" if self.error else "")


class BaselineMeasured(Event):
    type: Literal["BaselineMeasured"] = "BaselineMeasured"
    baseline: Baseline


class CycleStarted(Event):
    type: Literal["CycleStarted"] = "CycleStarted"


class DirectionSet(Event):
    type: Literal["DirectionSet"] = "DirectionSet"
    direction: Direction


class ProposalMade(Event):
    type: Literal["ProposalMade"] = "ProposalMade"
    proposal: Proposal

    @property
    def subject(self) -> str:
        return self.proposal.id


class ProposalSharpened(Event):
    """The feedback subgraph has worked on a code or comment proposal; the vote is on what it has become.

    Rewards are those of the discriminator, in 0 … 1, over the files that could be analysed.
    """

    type: Literal["ProposalSharpened"] = "ProposalSharpened"
    proposal: Proposal
    before: float
    after: float
    rounds: int
    guidance: tuple[str, ...] = Field(default=(), description="what the kept rounds were asked")

    @property
    def subject(self) -> str:
        return self.proposal.id


class ProposalApplied(Event):
    """An accepted code or comment proposal was carried out."""

    type: Literal["ProposalApplied"] = "ProposalApplied"
    outcome: Outcome

    @property
    def subject(self) -> str:
        return self.outcome.proposal_id


class VoteCast(Event):
    type: Literal["VoteCast"] = "VoteCast"
    vote: Vote

    @property
    def subject(self) -> str:
        return f"{self.vote.voter}:{self.vote.proposal_id}"


class ProposalTallied(Event):
    type: Literal["ProposalTallied"] = "ProposalTallied"
    tally: Tally

    @property
    def subject(self) -> str:
        return self.tally.proposal_id


class ProposalRuled(Event):
    """The supervisor's ruling; with `approval`, what a person (or the campaign's mode) has made of it since."""

    type: Literal["ProposalRuled"] = "ProposalRuled"
    ruling: Ruling
    approval: str = Field(default="", description="the question's id, or the mode that decided it")

    @property
    def subject(self) -> str:
        return self.ruling.proposal_id

    @property
    def key(self) -> str:
        return f"{self.type}:{self.cycle}:{self.subject}" + (f":{self.approval}" if self.approval else "")


class ApprovalAsked(Event):
    """A question was parked for a person; once, however often it is asked again after a crash."""

    type: Literal["ApprovalAsked"] = "ApprovalAsked"
    approval: Approval

    @property
    def subject(self) -> str:
        return self.approval.id


class ApprovalAnswered(Event):
    """The answer that counts: the first one."""

    type: Literal["ApprovalAnswered"] = "ApprovalAnswered"
    approval_id: str
    answer: Answer

    @property
    def subject(self) -> str:
        return self.approval_id


class ApprovalExpired(Event):
    """Nobody answered in time; what had been announced for that happens."""

    type: Literal["ApprovalExpired"] = "ApprovalExpired"
    approval_id: str
    consequence: str

    @property
    def subject(self) -> str:
        return self.approval_id


class ApprovalUsed(Event):
    """The yes to a privileged action was used up."""

    type: Literal["ApprovalUsed"] = "ApprovalUsed"
    approval_id: str
    request: str = Field(default="", description="for which request under an idempotency key; it may go on with it")

    @property
    def subject(self) -> str:
        return self.approval_id


class ApprovalRuleMade(Event):
    """A person had their yes remembered; `campaign_id` is empty for a rule of all campaigns."""

    type: Literal["ApprovalRuleMade"] = "ApprovalRuleMade"
    rule: ApprovalRule

    @property
    def subject(self) -> str:
        return self.rule.id


class ApprovalRuleForgotten(Event):
    type: Literal["ApprovalRuleForgotten"] = "ApprovalRuleForgotten"
    rule_id: str
    by: str

    @property
    def subject(self) -> str:
        return self.rule_id


class RoleFailed(Event):
    """A proposer or voter raised; the cycle went on without its answer."""

    type: Literal["RoleFailed"] = "RoleFailed"
    role: str
    name: str
    error: str

    @property
    def subject(self) -> str:
        return f"{self.role}:{self.name}"


class GuidanceGiven(Event):
    """A sentence that steers has come in, by whatever door; any process may tell it while another runs the campaign."""

    type: Literal["GuidanceGiven"] = "GuidanceGiven"
    guidance: Guidance

    @property
    def subject(self) -> str:
        return self.guidance.id

    @property
    def key(self) -> str:
        return f"{self.type}:{self.guidance.id}"


class GuidanceDelivered(Event):
    """A node was the first to be handed a guidance; from then on every node is, until it is dropped."""

    type: Literal["GuidanceDelivered"] = "GuidanceDelivered"
    guidance: Guidance = Field(description="with what it was understood to mean")
    node: str

    @property
    def subject(self) -> str:
        return self.guidance.id

    @property
    def key(self) -> str:
        return f"{self.type}:{self.guidance.id}"


class GuidanceUsed(Event):
    """Proposals of a cycle are what they are because of a guidance."""

    type: Literal["GuidanceUsed"] = "GuidanceUsed"
    guidance_id: str
    node: str = Field(description="where: proposer, voter, supervisor or director")
    proposals: tuple[str, ...] = ()
    changes: tuple[GuidanceChange, ...] = ()
    note: str = Field(default="", description="what it changed beside proposals")

    @property
    def subject(self) -> str:
        return f"{self.guidance_id}:{self.node}"


class GuidanceUnused(Event):
    """A guidance, or a part of it, had no effect in a cycle, and why.  One that was dropped has none from here on."""

    type: Literal["GuidanceUnused"] = "GuidanceUnused"
    guidance_id: str
    why: WhyUnused
    reason: str
    node: str = "director"
    unread: tuple[Unread, ...] = ()

    @property
    def subject(self) -> str:
        return f"{self.guidance_id}:{self.why}"


class GuidanceDropped(Event):
    """A person took a guidance back; the campaign heeds it from the next node on."""

    type: Literal["GuidanceDropped"] = "GuidanceDropped"
    guidance_id: str
    author: str = "human"
    door: Door = "library"

    @property
    def subject(self) -> str:
        return self.guidance_id

    @property
    def key(self) -> str:
        return f"{self.type}:{self.guidance_id}"


class JobStarted(Event):
    type: Literal["JobStarted"] = "JobStarted"
    job_id: str
    proposal_id: str
    purpose: Purpose
    config: dict[str, Any]
    seed: int
    attempt: int = 1
    directory: str

    @property
    def subject(self) -> str:
        return f"{self.job_id}:{self.attempt}"


class JobReported(Event):
    """A live metrics line of a running job; not stored (the job's own metrics file keeps it)."""

    kept: ClassVar[bool] = False
    type: Literal["JobReported"] = "JobReported"
    job_id: str
    metrics: dict[str, float]


class JobFinished(Event):
    type: Literal["JobFinished"] = "JobFinished"
    purpose: Purpose
    outcome: Outcome
    score: float | None = None

    @property
    def subject(self) -> str:
        return self.outcome.job_id


class BestImproved(Event):
    type: Literal["BestImproved"] = "BestImproved"
    proposal_id: str
    score: float
    previous: float | None


class BestChallenged(Event):
    type: Literal["BestChallenged"] = "BestChallenged"
    challenge: Challenge

    @property
    def subject(self) -> str:
        return self.challenge.proposal_id


class SealedEvaluated(Event):
    type: Literal["SealedEvaluated"] = "SealedEvaluated"
    result: SealedResult


class LessonLearned(Event):
    type: Literal["LessonLearned"] = "LessonLearned"
    lesson: Lesson

    @property
    def subject(self) -> str:
        return self.lesson.id


class TrajectoryKept(Event):
    type: Literal["TrajectoryKept"] = "TrajectoryKept"
    trajectory: Trajectory

    @property
    def subject(self) -> str:
        return self.trajectory.id


class TrackRecordUpdated(Event):
    type: Literal["TrackRecordUpdated"] = "TrackRecordUpdated"
    record: TrackRecord

    @property
    def subject(self) -> str:
        return f"{self.record.role}:{self.record.name}"


class CycleFinished(Event):
    type: Literal["CycleFinished"] = "CycleFinished"
    stages: dict[str, dict[str, Any]] = Field(description="one per node: what it did, in figures")
    metrics: dict[str, float] = Field(description="total_proposals, approved_proposals, …")


class ControlFinished(Event):
    """A control arm has spent its budget: its scores in the order of its jobs (None: failed)."""

    type: Literal["ControlFinished"] = "ControlFinished"
    arm: str
    scores: tuple[float | None, ...]

    @property
    def subject(self) -> str:
        return f"{self.arm}:{len(self.scores)}"


class VerdictReached(Event):
    type: Literal["VerdictReached"] = "VerdictReached"
    verdict: Verdict

    @property
    def subject(self) -> str:
        return f"{self.verdict.proposal_id}:{len(self.verdict.seeds)}"


class TrainingChanged(Event):
    """A job of a control plane reached a state; each once an attempt, however often it is watched again."""

    type: Literal["TrainingChanged"] = "TrainingChanged"
    experiment_id: str
    attempt: int
    status: Literal["PENDING", "QUEUED", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"]
    cause: str = ""
    reason: str = ""

    @property
    def subject(self) -> str:
        return self.experiment_id

    @property
    def key(self) -> str:
        return f"{self.type}:{self.experiment_id}:{self.attempt}:{self.status}"


class TrainingReported(Event):
    """The report at `position` (from 1 on) of a job of a control plane."""

    type: Literal["TrainingReported"] = "TrainingReported"
    experiment_id: str
    attempt: int
    position: int
    step: int | None
    time_s: float
    metrics: dict[str, float]

    @property
    def subject(self) -> str:
        return self.experiment_id

    @property
    def key(self) -> str:
        return f"{self.type}:{self.experiment_id}:{self.attempt}:{self.position}"


AnyEvent = Annotated[
    ApprovalAnswered
    | ApprovalAsked
    | ApprovalExpired
    | ApprovalRuleForgotten
    | ApprovalRuleMade
    | ApprovalUsed
    | BaseTaken
    | BaselineMeasured
    | BestChallenged
    | BestImproved
    | CampaignFinished
    | CampaignInterrupted
    | CampaignResumed
    | CampaignStarted
    | ControlFinished
    | CycleFinished
    | CycleStarted
    | DegradationSeen
    | DirectionSet
    | ImprovementAssessed
    | ImprovementDeployed
    | ImprovementNotDrafted
    | ImprovementReported
    | ImprovementRolledBack
    | ImprovementValidated
    | ForkedFrom
    | GuidanceDelivered
    | GuidanceDropped
    | GuidanceGiven
    | GuidanceUnused
    | GuidanceUsed
    | JobFinished
    | JobReported
    | JobStarted
    | LessonLearned
    | ModelCalled
    | ModelChosen
    | OpportunityFound
    | ProposalApplied
    | ProposalMade
    | ProposalRuled
    | ProposalSharpened
    | ProposalTallied
    | RoleFailed
    | SealedEvaluated
    | TelemetryAnalysed
    | TrackRecordUpdated
    | TrainingChanged
    | TrainingReported
    | TrajectoryKept
    | VerdictReached
    | VoteCast,
    Field(discriminator="type"),
]

_adapter: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


def parse_event(text: str | bytes) -> AnyEvent:
    """An event from its JSON.  Raises pydantic.ValidationError for an unknown type or field."""
    return _adapter.validate_json(text)
