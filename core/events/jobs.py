"""Jobs: those of a campaign, and those of a control plane."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from core.events.event import Event
from core.records import Outcome

__all__ = [
    "JobFinished",
    "JobReported",
    "JobStarted",
    "Purpose",
    "TrainingChanged",
    "TrainingReported",
]


Purpose = Literal["baseline", "proposal", "confirmation", "verdict", "control", "sealed"]
"""What a job is run for."""


class JobStarted(Event):
    about = ("job_id", "attempt")
    type: Literal["JobStarted"] = "JobStarted"
    job_id: str
    proposal_id: str
    purpose: Purpose
    config: dict[str, Any]
    seed: int
    attempt: int = 1
    directory: str


class JobReported(Event):
    """A live metrics line of a running job; not stored (the job's own metrics file keeps it)."""

    kept: ClassVar[bool] = False
    type: Literal["JobReported"] = "JobReported"
    job_id: str
    metrics: dict[str, float]


class JobFinished(Event):
    about = ("outcome.job_id",)
    type: Literal["JobFinished"] = "JobFinished"
    purpose: Purpose
    outcome: Outcome
    score: float | None = None


class TrainingChanged(Event):
    """A job of a control plane reached a state; each once an attempt, however often it is watched again."""

    about = ("experiment_id",)
    type: Literal["TrainingChanged"] = "TrainingChanged"
    experiment_id: str
    attempt: int
    status: Literal["PENDING", "QUEUED", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"]
    cause: str = ""
    reason: str = ""

    @property
    def key(self) -> str:
        return f"{self.type}:{self.experiment_id}:{self.attempt}:{self.status}"


class TrainingReported(Event):
    """The report at `position` (from 1 on) of a job of a control plane."""

    about = ("experiment_id",)
    type: Literal["TrainingReported"] = "TrainingReported"
    experiment_id: str
    attempt: int
    position: int
    step: int | None
    time_s: float
    metrics: dict[str, float]

    @property
    def key(self) -> str:
        return f"{self.type}:{self.experiment_id}:{self.attempt}:{self.position}"
