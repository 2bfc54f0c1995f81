"""One frozen event per thing that happened.  Everything else (screen, reports, audit, exports) listens to these.

An event's `key` is unique within its campaign: telling the same thing twice, after a crash, is one event.
Events of a class with `kept = False` pass by live and are not stored.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, TypeAdapter

from core.events.campaigns import (
    BaseTaken,
    CampaignFinished,
    CampaignInterrupted,
    CampaignResumed,
    CampaignStarted,
    ForkedFrom,
)
from core.events.cycles import (
    CycleFinished,
    CycleStarted,
    DirectionSet,
    LessonLearned,
    ProposalApplied,
    ProposalMade,
    ProposalRuled,
    ProposalSharpened,
    ProposalTallied,
    RoleFailed,
    TrackRecordUpdated,
    TrajectoryKept,
    VoteCast,
)
from core.events.event import Event
from core.events.jobs import JobFinished, JobReported, JobStarted, Purpose, TrainingChanged, TrainingReported
from core.events.live import (
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
from core.events.model_calls import ModelCalled, ModelChosen
from core.events.people import (
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalExpired,
    ApprovalRuleForgotten,
    ApprovalRuleMade,
    ApprovalUsed,
    GuidanceDelivered,
    GuidanceDropped,
    GuidanceGiven,
    GuidanceUnused,
    GuidanceUsed,
)
from core.events.results import (
    BaselineMeasured,
    BestChallenged,
    BestImproved,
    ControlFinished,
    SealedEvaluated,
    VerdictReached,
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
