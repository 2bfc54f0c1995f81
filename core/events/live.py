"""What happens in a campaign of kind `live`: weaknesses found, improvements checked, put live, watched, taken back."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from core.drafts import Validation
from core.events.event import Event
from core.improvement import ImpactAssessment, ImprovementOpportunity, ImprovementReport

__all__ = [
    "DegradationSeen",
    "ImprovementAssessed",
    "ImprovementDeployed",
    "ImprovementNotDrafted",
    "ImprovementReported",
    "ImprovementRolledBack",
    "ImprovementValidated",
    "OpportunityFound",
    "TelemetryAnalysed",
]


class TelemetryAnalysed(Event):
    """The telemetry of a live service was looked at; what could not be judged stands in `unknown`."""

    type: Literal["TelemetryAnalysed"] = "TelemetryAnalysed"
    trigger: Literal["schedule", "hand", "alarm"] = "hand"
    begin: float
    end: float
    counts: dict[str, int] = Field(description="how much of each kind was analysed, and set aside")
    unknown: tuple[str, ...] = ()


class OpportunityFound(Event):
    """A weakness of a live service.  `place` is its place in the order of the cycle, from 1 on."""

    about = ("opportunity.id",)
    type: Literal["OpportunityFound"] = "OpportunityFound"
    opportunity: ImprovementOpportunity
    place: int = Field(ge=1)


class ImprovementNotDrafted(Event):
    """Nothing could be made of an opportunity: no rule fits and there is no model, or the model's answer was no use."""

    about = ("opportunity_id",)
    type: Literal["ImprovementNotDrafted"] = "ImprovementNotDrafted"
    opportunity_id: str
    reason: str
    needs_model: bool = True


class ImprovementValidated(Event):
    """The checks of a proposed improvement are done.  `quality` in 0 … 1, `risk` in 0 … 1."""

    about = ("proposal_id",)
    type: Literal["ImprovementValidated"] = "ImprovementValidated"
    proposal_id: str
    content: str = Field(description="hash of the files that were checked")
    validation: Validation
    quality: float = Field(ge=0, le=1)
    risk: float = Field(ge=0, le=1)


class ImprovementDeployed(Event):
    """An improvement is live, its service healthy, and its watch begins."""

    about = ("deployment_id",)
    type: Literal["ImprovementDeployed"] = "ImprovementDeployed"
    proposal_id: str
    deployment_id: str
    revision: str
    paths: tuple[str, ...]
    share: float = Field(default=1.0, gt=0, le=1, description="of the requests that it gets at first, as a canary")


class DegradationSeen(Event):
    """The watch found a live service worse than before its deployment.  `degradation` is the formula's, relative."""

    about = ("deployment_id",)
    type: Literal["DegradationSeen"] = "DegradationSeen"
    proposal_id: str
    deployment_id: str
    degradation: float | None
    threshold: float
    reason: str


class ImprovementRolledBack(Event):
    """The version before is live again, `seconds` after that was decided; None when the service could not be told."""

    about = ("deployment_id",)
    type: Literal["ImprovementRolledBack"] = "ImprovementRolledBack"
    proposal_id: str
    deployment_id: str
    revision: str
    seconds: float | None = None
    reason: str


class ImprovementAssessed(Event):
    """What an improvement came to."""

    type: Literal["ImprovementAssessed"] = "ImprovementAssessed"
    assessment: ImpactAssessment

    @property
    def subject(self) -> str:
        return self.assessment.proposal_id or self.assessment.opportunity_id


class ImprovementReported(Event):
    """An improvement cycle is whole."""

    type: Literal["ImprovementReported"] = "ImprovementReported"
    report: ImprovementReport
