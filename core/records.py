"""The records of the council: frozen, versioned, JSON round-trip.

Scores are higher-is-better everywhere; a metric's own direction is resolved by `Objective.score` before
anything compares two numbers.  Times are UTC seconds since the epoch, durations are seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from core.guidance import Guidance
from core.ids import content_id
from core.record import Mode, Record, Source

__all__ = [
    "PATCH",
    "Baseline",
    "Challenge",
    "Config",
    "Direction",
    "Expectation",
    "Experiment",
    "Guidance",
    "Kind",
    "Lesson",
    "Memory",
    "Mode",
    "Outcome",
    "Proposal",
    "Record",
    "Ruling",
    "SealedResult",
    "Source",
    "Tally",
    "TestResults",
    "TrackRecord",
    "Trajectory",
    "Verdict",
    "Vote",
]

Kind = Literal["experiment", "code", "comment"]
"""Of a proposal: parameter changes, changes of files, or comments on files."""

Config = dict[str, Any]
"""Parameter name → value, active parameters only."""

PATCH = "patch"
"""The one parameter of a campaign of kind `code`: the reference of a kept diff against its base; empty, the base."""


class Direction(Record):
    """The director's answer for one cycle: how to search, on what to focus, how many jobs, and why."""

    cycle: int
    mode: Mode
    jobs: int = Field(ge=0, description="jobs this cycle may start")
    reason: str
    focus: tuple[str, ...] = Field(default=(), description="parameters to work on first; empty: all")
    director: str = "rules"
    source: Source = "rules"
    guidance: tuple[str, ...] = Field(default=(), description="ids of the guidance that it follows")
    before_guidance: Mode | None = Field(default=None, description="the director's own mode, where guidance changed it")


class Expectation(Record):
    """A predicted score of the campaign's objective (higher is better), with its standard deviation."""

    mean: float
    sd: float = Field(ge=0)
    failure_probability: float = Field(default=0.0, ge=0, le=1)
    factor: float = Field(default=1.0, gt=0, description="by which calibration has widened the model's own sd")


class Proposal(Record):
    """Something to try.  `config` is whole (not a difference), so that it can be run as it stands.

    A code or comment proposal has files in place of a configuration.  In a campaign of kind `code` it is a trial: its
    configuration has one entry, `patch`, the reference of the whole change against the campaign's base.  The id is
    derived from campaign, cycle, proposer and content: the same proposal made twice is one proposal.
    """

    id: str
    campaign_id: str
    cycle: int
    proposer: str
    kind: Kind = "experiment"
    config: Config = Field(default={})
    files: dict[str, str] = Field(default={}, description="by path: what is commented, or what the file becomes")
    comments: dict[str, Any] = Field(default={}, description="by path: comments on the file, as CodeComments in JSON")
    rationale: str
    expected: Expectation | None = None
    expected_metrics: dict[str, Expectation] = Field(default={}, description="each named metric, in its own units")
    operator: str = Field(default="", description="how a code trial was made: refinement, revision, recombination, …")
    parts: tuple[str, ...] = Field(default=(), description="ids of the small changes that a code trial is made of")
    probes: str = Field(default="", description="the failed trial or learned constraint that it is to find out about")
    parents: tuple[str, ...] = Field(default=(), description="ids of the proposals it was made from")
    memories: tuple[str, ...] = Field(default=(), description="ids of the memories it used")
    guidance: tuple[str, ...] = Field(default=(), description="ids of the guidance it used")
    source: Source = "rules"

    @model_validator(mode="after")
    def _content_of_its_kind(self) -> Proposal:
        if self.kind == "experiment":
            if self.files or self.comments:
                raise ValueError("an experiment has a configuration, no files")
            return self
        if self.is_trial:
            if self.files or self.comments or set(self.config) != {PATCH}:
                raise ValueError("a code trial has a patch, and nothing beside it")
            return self
        if self.config or not self.files:
            raise ValueError(f"a {self.kind} proposal has files, no configuration")
        for path in (*self.files, *self.comments):
            if not lies_below(path):
                raise ValueError(f"{path!r} is not a path below the campaign's folder")
        if unknown := set(self.comments) - set(self.files):
            raise ValueError(f"comments on {', '.join(sorted(unknown))}, which is not among the files")
        return self

    @property
    def content(self) -> tuple[Any, ...]:
        """What it is about, whoever makes it."""
        return (self.config,) if self.is_trial else (self.kind, self.files, self.comments)

    @property
    def is_trial(self) -> bool:
        """Whether a job measures it; comments, and files that are only written beside, are not measured."""
        return self.kind == "experiment" or (self.kind == "code" and bool(self.config))

    @classmethod
    def make(
        cls, *, campaign_id: str, cycle: int, proposer: str, rationale: str, config: Config | None = None, **rest: Any
    ) -> Proposal:
        """A proposal with its content-derived id."""
        made = cls(
            id="",
            campaign_id=campaign_id,
            cycle=cycle,
            proposer=proposer,
            config=config or {},
            rationale=rationale,
            **rest,
        )
        return made.model_copy(update={"id": content_id("p", campaign_id, cycle, proposer, *made.content)})


class Vote(Record):
    """One voter's judgement of one proposal.  `score` in −1 … 1, above 0 approves; `confidence` in 0 … 1."""

    proposal_id: str
    voter: str
    score: float = Field(ge=-1, le=1)
    reason: str
    confidence: float = Field(default=1.0, ge=0, le=1)
    memories: tuple[str, ...] = ()
    source: Source = "rules"


class Tally(Record):
    """The weighted sum of the votes for one proposal, in −1 … 1, and the weight each voter had."""

    proposal_id: str
    score: float
    weights: dict[str, float]
    vetoed_by: tuple[str, ...] = Field(default=(), description="voters sure of their −1")


class Ruling(Record):
    """The supervisor's decision about one proposal.  `rule` names what decided; `risk` in 0 … 1."""

    proposal_id: str
    decision: Literal["accept", "amend", "reject", "ask"]
    risk: float = Field(ge=0, le=1)
    rule: str
    reason: str
    amended: Proposal | None = Field(default=None, description="what is to run instead, when the decision is `amend`")
    source: Source = "rules"


class Outcome(Record):
    """What the world answered to one job.

    status `ok`: ran to its end with every metric; `stopped`: ended early because hopeless (metrics are those of
    the last report); `failed`: no usable result, `cause` says how; `cancelled`: by a person or a shutdown.
    """

    job_id: str
    proposal_id: str
    status: Literal["ok", "stopped", "failed", "cancelled"]
    config: Config
    seed: int
    metrics: dict[str, float] = Field(default={})
    noise: dict[str, float] = Field(default={}, description="standard error per metric, where the job reports one")
    cause: str = Field(default="", description="crashed, time, memory, no_metric, …")
    reason: str = Field(default="", description="one line for a person")
    curve: tuple[tuple[int, float], ...] = Field(default=(), description="(step, value) of the early-stop metric")
    steps: int = 0
    duration_s: float = 0.0
    cpu_s: float = 0.0
    peak_memory_mb: float = 0.0
    attempt: int = 1
    isolation: dict[str, str] = Field(default={}, description="what was enforced: processes, memory, time, output …")
    details: dict[str, Any] = Field(default={}, description="of a judged candidate: tests, answer, where its time goes")

    @property
    def ok(self) -> bool:
        return self.status == "ok"

    @property
    def tells_of_config(self) -> bool:
        """Whether it says anything about the configuration; a control plane that was down does not."""
        return self.status != "cancelled" and self.cause != "control_plane"


class Experiment(Record):
    """A finished trial: the proposal, its outcome and its score (higher is better; None when it gave none)."""

    proposal: Proposal
    outcome: Outcome
    score: float | None

    @property
    def config(self) -> Config:
        return self.outcome.config


class Baseline(Record):
    """The starting point, measured on several seeds: its mean score and the noise floor (standard deviation)."""

    config: Config
    seeds: tuple[int, ...]
    scores: tuple[float, ...]
    metrics: dict[str, float]
    metric_noise: dict[str, float] = Field(default={}, description="standard deviation of each metric over the seeds")
    jobs: tuple[str, ...] = ()

    @property
    def mean(self) -> float:
        return math.fsum(self.scores) / len(self.scores)

    @property
    def noise_sd(self) -> float:
        """Sample standard deviation over seeds; 0 with a single seed."""
        if len(self.scores) < 2:
            return 0.0
        mean = self.mean
        return math.sqrt(math.fsum((s - mean) ** 2 for s in self.scores) / (len(self.scores) - 1))


class Verdict(Record):
    """The best against the baseline on fresh paired seeds: mean difference of scores with its interval."""

    proposal_id: str
    config: Config
    baseline: Config
    seeds: tuple[int, ...]
    best_scores: tuple[float, ...]
    baseline_scores: tuple[float, ...]
    metrics: dict[str, float]
    gain: float
    low: float
    high: float
    level: float = 0.9
    answer: Literal["better", "worse", "cannot tell"]


class Challenge(Record):
    """A new best against the one before, where a single run cannot tell them apart: repeated on the same seeds.

    `incumbent` is a proposal's id, or `baseline`.  gain, low and high are differences of scores.  Without seeds the
    campaign's confirmations were spent, and nothing could be told.
    """

    proposal_id: str
    incumbent: str
    seeds: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    incumbent_scores: tuple[float, ...] = ()
    gain: float
    low: float
    high: float
    level: float = 0.9
    answer: Literal["better", "worse", "cannot tell"]


class SealedResult(Record):
    """The sealed evaluation's answers: its metric for the best and the baseline, None where it gave none."""

    proposal_id: str
    metric: str
    best: float | None
    baseline: float | None
    seed: int


class Lesson(Record):
    """What the historian concluded, with its evidence.  A lesson is withdrawn by a later one that names it.

    One with `steps` is the plan behind the only trial of its evidence.
    """

    id: str
    kind: Literal["constraint", "pattern", "insight"]
    text: str
    cycle: int
    evidence: tuple[str, ...] = Field(default=(), description="ids of the proposals it rests on")
    region: dict[str, Any] | None = Field(default=None, description="the forbidden region of a constraint")
    withdraws: str | None = None
    steps: tuple[str, ...] = ()
    source: Source = "rules"


class TestResults(Record):
    """How a trajectory was tested.  `execution_time` is in seconds."""

    __test__: ClassVar[bool] = False  # pytest collects what is called Test

    success: bool
    execution_time: float = Field(default=0.0, ge=0)
    steps_completed: int = Field(default=0, ge=0)


class Trajectory(Record):
    """One node of the lineage: what was tried, from which parents, by which operator, and what came of it.

    One of a campaign names campaign, cycle and proposal; one of production says in its metadata where it is from.
    """

    id: str
    campaign_id: str = ""
    cycle: int = 0
    proposal_id: str = ""
    parents: tuple[str, ...] = Field(default=(), description="ids of the trajectories it was made from")
    operator: str = Field(description="what made it: a proposer, an operator, or `production`")
    strategy: str = Field(description="the direction's mode, or the plan's strategy")
    steps: tuple[str, ...] = Field(default=(), description="the plan behind it, else why it was proposed")
    config: Config = Field(default={})
    code_changes: str = Field(default="", description="code, or a diff; empty where there is none")
    test_results: TestResults | None = None
    success_score: float = Field(default=0.0, description="0.0 when failed")
    failure_reasons: tuple[str, ...] = ()
    metrics: dict[str, float] = Field(default={})
    metadata: dict[str, str] = Field(default={}, description="`source`, such as `production`, and where from")
    summary: str = Field(description="the sentence that is embedded and recalled")


class Memory(Record):
    """Something recalled: `similarity` is the cosine in −1 … 1 between its text and the question."""

    id: str
    kind: Literal["trajectory", "guidance", "lesson", "comment", "outcome", "plan"]
    text: str
    similarity: float
    campaign_id: str = ""
    proposal_id: str | None = None
    score: float | None = Field(default=None, description="the trajectory's success_score; None when it failed")
    objective: str = Field(default="", description="what the score measured, such as `maximize auc`")
    config: Config = Field(default={})


class TrackRecord(Record):
    """How often and how well a voter or proposer was right.

    `weight` is what its next vote counts; 1 is the weight of one without a record.
    """

    name: str
    role: Literal["voter", "proposer"]
    judged: int = 0
    right: float = Field(default=0.0, description="sum of credits in 0 … 1")
    weight: float = Field(default=1.0, ge=0)

    @property
    def accuracy(self) -> float | None:
        return self.right / self.judged if self.judged else None

    @field_validator("right")
    @classmethod
    def _finite(cls, value: float) -> float:
        if not math.isfinite(value):
            raise ValueError("credits must be finite")
        return value


def lies_below(path: str) -> bool:
    """Whether `path`, written with slashes, stays below the folder it is relative to, and out of git's own."""
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and not {"..", ".git"} & set(parts) and "\\" not in path


def finite(metrics: Mapping[str, float]) -> bool:
    """Whether every metric is a finite number."""
    return all(math.isfinite(value) for value in metrics.values())
