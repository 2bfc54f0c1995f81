"""What control plane and client say to each other: the records of both sides, as JSON.

A number that JSON does not know (NaN, ±infinity) is written as a string; a bare `NaN` is refused.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator

from core.campaign import Campaign, Limits
from core.ids import content_hash
from core.process import ProcessIdentity
from core.records import Config, Record
from runtime.jobs import JobReport, JobResult, JobState, StopRule

__all__ = [
    "FINAL",
    "Approval",
    "Decision",
    "JobEvent",
    "Keeper",
    "RetryPolicy",
    "TrainRequest",
    "TrainingJob",
    "TrainingResults",
    "Work",
]

ID = r"^[A-Za-z0-9][A-Za-z0-9._:\-]{0,127}$"
FINAL = frozenset({JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED})
"""The states that a job does not leave."""


class Message(Record):
    model_config = ConfigDict(ser_json_inf_nan="strings")


class Work(Message):
    """What the jobs of a campaign run and how they are judged: all of a job but its configuration.

    `command` has its placeholders (`{python}`, `{here}`, `{config}`, `{directory}`): each side knows its own paths.
    """

    command: tuple[str, ...] = Field(min_length=1, max_length=1000)
    here: str = "."
    environment: dict[str, str] = Field(default={})
    limits: Limits = Limits()
    metrics_required: tuple[str, ...] = ()
    patterns: dict[str, str] = Field(default={})

    @classmethod
    def of(cls, campaign: Campaign) -> Work:
        """The work of a campaign's jobs."""
        return cls(
            command=campaign.command,
            here=str(Path(campaign.here).absolute()),
            environment=dict(campaign.environment),
            limits=campaign.limits,
            metrics_required=tuple(dict.fromkeys((campaign.objective.metric, *campaign.metrics))),
            patterns=dict(campaign.patterns),
        )

    @classmethod
    def all_of(cls, campaign: Campaign) -> dict[str, Work]:
        """Every work of a campaign by its name there: its jobs, and `<name>/sealed` for a sealed evaluation."""
        works = {campaign.name: cls.of(campaign)}
        if campaign.sealed is not None:
            other = {"command": campaign.sealed.command, "metrics_required": (campaign.sealed.metric,)}
            works[f"{campaign.name}/sealed"] = works[campaign.name].model_copy(update=other)
        return works

    def fingerprint(self) -> str:
        """Equal for equal work, wherever its folder lies and however many jobs may run at once."""
        told = self.model_dump(mode="json", exclude={"here"})
        told["limits"].pop("parallel")
        return content_hash(told)[:16]


class RetryPolicy(Message):
    """How often a job is tried again: `lost` when its keeper was killed, `failed` by cause, such as {"crashed": 1}."""

    lost: int = Field(default=1, ge=0, le=10)
    failed: dict[str, int] = Field(default={}, max_length=20)

    @field_validator("failed")
    @classmethod
    def _few(cls, value: dict[str, int]) -> dict[str, int]:
        if any(not 0 <= times <= 10 for times in value.values()):
            raise ValueError("a job is tried again 0 … 10 times")
        return value

    def allows(self, result: JobResult) -> bool:
        """Whether there is another attempt after this result, counted by the number of its attempt."""
        if result.status != "failed":
            return False
        return result.attempt <= (self.lost if result.cause == "lost" else self.failed.get(result.cause, 0))


class TrainRequest(Message):
    """One experiment to run.  The same id with the same request is the same job, however often it is sent.

    `campaign` names the work; it may be left out where the control plane knows only one.  `fingerprint`, when given,
    must be that of the work.  `work` is used by a control plane that was told to run any command.
    """

    experiment_id: str = Field(pattern=ID)
    config: Config
    seed: int = 0
    campaign: str = Field(default="", max_length=200)
    fingerprint: str = Field(default="", max_length=64)
    work: Work | None = None
    stop_rule: StopRule | None = None
    retries: RetryPolicy = RetryPolicy()
    requires_approval: bool = False
    proposal_type: str = Field(default="experiment", max_length=100)
    risk_level: str = Field(default="low", max_length=100)

    @field_validator("config")
    @classmethod
    def _plain(cls, value: Config) -> Config:
        try:
            json.dumps(value, allow_nan=False)
        except (ValueError, TypeError, RecursionError) as error:
            raise ValueError(f"a configuration is plain JSON with finite numbers: {error}") from error
        return value

    def request_hash(self) -> str:
        """What is asked, as one number: an approval is of exactly this."""
        return content_hash(self.model_dump(mode="json"))


class Keeper(Message):
    """The process that keeps a running job."""

    pid: int
    start_time: int
    boot_id: str
    host: str

    @classmethod
    def of(cls, identity: ProcessIdentity) -> Keeper:
        return cls(**identity._asdict())

    @property
    def identity(self) -> ProcessIdentity:
        return ProcessIdentity(self.pid, self.start_time, self.boot_id, self.host)


class TrainingJob(Message):
    """How a job stands.  Times are UTC seconds since the epoch."""

    experiment_id: str
    status: JobState
    config: Config
    seed: int = 0
    campaign: str = ""
    attempt: int = 1
    proposal_type: str = "experiment"
    risk_level: str = "low"
    requires_approval: bool = False
    approval_id: str = ""
    submitted_at: float
    started_at: float | None = None
    finished_at: float | None = None
    cause: str = ""
    reason: str = ""
    keeper: Keeper | None = None

    @property
    def finished(self) -> bool:
        return self.status in FINAL


class TrainingResults(Message):
    """What became of a job.  COMPLETED is `ok` or, for a hopeless job that was ended early, `stopped`."""

    experiment_id: str
    config: Config
    metrics: dict[str, float]
    status: JobState
    duration_seconds: float = Field(ge=0)
    proposal_type: str
    risk_level: str
    seed: int = 0
    outcome: Literal["ok", "stopped", "failed", "cancelled"]
    cause: str = ""
    reason: str = ""
    noise: dict[str, float] = Field(default={})
    steps: int = Field(default=0, ge=0)
    attempt: int = Field(default=1, ge=1)
    exit_code: int | None = None
    cpu_s: float = 0.0
    peak_memory_mb: float = 0.0
    isolation: dict[str, str] = Field(default={})

    @classmethod
    def of(cls, request: TrainRequest, status: JobState, result: JobResult) -> TrainingResults:
        own = result.model_dump(exclude={"version", "job_id", "status", "duration_s"})
        return cls(
            experiment_id=request.experiment_id,
            config=request.config,
            seed=request.seed,
            proposal_type=request.proposal_type,
            risk_level=request.risk_level,
            status=status,
            outcome=result.status,
            duration_seconds=max(result.duration_s, 0.0),
            **own,
        )

    def result(self, job_id: str, attempt: int) -> JobResult:
        """The same as the runtime's record, for a job that is called `job_id` here."""
        fields = self.model_dump(include=set(JobResult.model_fields) - {"version", "status", "attempt"})
        return JobResult(
            job_id=job_id, attempt=attempt, status=self.outcome, duration_s=self.duration_seconds, **fields
        )

    def figures(self) -> dict[str, Any]:
        """The seven keys of the public contract."""
        return {
            "experiment_id": self.experiment_id,
            "config": dict(self.config),
            "metrics": dict(self.metrics),
            "status": str(self.status),
            "duration_seconds": self.duration_seconds,
            "proposal_type": self.proposal_type,
            "risk_level": self.risk_level,
        }

    def fault(self, required: tuple[str, ...]) -> str:
        """What cannot be: a status that does not fit the outcome, a good job without its metrics.  Empty when sound."""
        fits = {"ok": JobState.COMPLETED, "stopped": JobState.COMPLETED, "cancelled": JobState.CANCELLED}
        if fits.get(self.outcome, JobState.FAILED) != self.status:
            return f"outcome {self.outcome} with status {self.status}"
        missing = [name for name in required if not math.isfinite(self.metrics.get(name, math.nan))]
        return f"no finite {missing[0]}" if missing and self.outcome == "ok" else ""


class JobEvent(Message):
    """Something that happened to a job: a new state, or a report.  `seq` grows; a stream resumes after it."""

    seq: int
    at: float
    experiment_id: str
    attempt: int
    kind: Literal["state", "report"]
    status: JobState | None = None
    cause: str = ""
    reason: str = ""
    report: JobReport | None = None


class Approval(Message):
    """A job that waits for a person, and what was answered.  `request_hash` is of exactly what is to be approved."""

    id: str
    experiment_id: str
    campaign: str
    config: Config
    proposal_type: str
    risk_level: str
    request_hash: str
    asked_at: float
    decision: Literal["", "approve", "reject", "withdrawn"] = ""
    decided_at: float | None = None
    reason: str = ""


class Decision(Message):
    """A person's answer.  `request_hash`, when given, must be that of the approval."""

    decision: Literal["approve", "reject"]
    reason: str = Field(default="", max_length=1000)
    request_hash: str = Field(default="", max_length=64)
