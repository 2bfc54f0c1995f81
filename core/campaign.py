"""What a user asks for: the campaign, as data.

`Campaign` is the validated form of a campaign file.  The search space and the parameters of the roles stay plain
data here; who understands them (search, agents) checks them when the campaign is loaded.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.durations import parse_duration
from core.ids import content_hash
from core.live_plan import LivePlan
from core.records import PATCH, Config, Record

__all__ = [
    "APPROVAL_MODES",
    "ApprovalPlan",
    "Budget",
    "Campaign",
    "CodePlan",
    "Council",
    "EarlyStop",
    "Limits",
    "ModelPlan",
    "ModelRole",
    "NoisePlan",
    "Objective",
    "Price",
    "Sealed",
    "Target",
    "Use",
    "parse_duration",
]

ModelRole = Literal[
    "director", "proposer", "voter", "supervisor", "historian", "generator", "discriminator", "agitator"
]
"""The roles that may use a language model; the last three sharpen code and comment proposals."""


class Objective(Record):
    """The metric that decides, and its direction."""

    metric: str
    goal: Literal["maximize", "minimize"] = "maximize"

    def score(self, value: float) -> float:
        """The metric as a score: higher is better."""
        return value if self.goal == "maximize" else -value

    def value(self, score: float) -> float:
        """The score as the metric it came from."""
        return score if self.goal == "maximize" else -score


APPROVAL_MODES = {"ask": "human", "low": "confirm"}
"""Other words for the modes of `ApprovalPlan`: what is accepted without asking."""


class ApprovalPlan(Record):
    """Which accepted proposals wait for a person's yes.

    human    every one
    confirm  those of medium and high risk
    auto     none but those that the supervisor itself wants decided by a person
    all      none: those that the supervisor wants decided by a person are accepted
    never    none: what `confirm` asks about is rejected
    """

    mode: Literal["human", "confirm", "auto", "all", "never"] = "auto"
    expire_s: float | None = Field(default=7 * 86_400, gt=0, description="unanswered for so long is a no; null: never")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"mode": value} if isinstance(value, str) else value

    @field_validator("mode", mode="before")
    @classmethod
    def _other_words(cls, value: Any) -> Any:
        return APPROVAL_MODES.get(value, value) if isinstance(value, str) else value

    @field_validator("expire_s", mode="before")
    @classmethod
    def _duration(cls, value: Any) -> float | None:
        return None if value is None else parse_duration(value)


class Limits(Record):
    """What one job may use, and how many run at once."""

    time_s: float = Field(default=600.0, gt=0)
    memory_mb: float = Field(default=4096.0, gt=0, description="resident memory of the whole process tree")
    output_mb: float = Field(default=100.0, gt=0, description="stdout and stderr together; the last 1 MB is kept")
    processes: int = Field(default=64, ge=1, description="processes and their children alive at once")
    parallel: int = Field(default=2, ge=1, description="jobs that run at once")

    @field_validator("time_s", mode="before")
    @classmethod
    def _duration(cls, value: Any) -> float:
        return parse_duration(value)


class Budget(Record):
    """When to stop: whichever comes first."""

    cycles: int = Field(default=10, ge=1)
    jobs: int | None = Field(default=None, ge=1, description="jobs of the council, without repeats and controls")
    time_s: float | None = Field(default=None, gt=0)
    usd: float | None = Field(default=None, ge=0, description="what language models may cost")
    tokens: int | None = Field(default=None, ge=0, description="of language models, read and written")
    model_time_s: float | None = Field(default=None, ge=0, description="seconds spent on calls of language models")

    @field_validator("time_s", "model_time_s", mode="before")
    @classmethod
    def _duration(cls, value: Any) -> float | None:
        return None if value is None else parse_duration(value)


class Target(Record):
    """A metric to reach, such as `auc >= 0.99`."""

    metric: str
    relation: Literal[">=", "<="]
    value: float

    @classmethod
    def parse(cls, text: str) -> Target:
        """From `auc>=0.99` or `loss<=0.1`; `>` and `<` are read as `>=` and `<=`."""
        match = re.match(r"^\s*([\w.\-]+)\s*(>=|<=|>|<)\s*([-+0-9.eE]+)\s*$", text)
        if not match:
            raise ValueError(f"{text!r} is not a target; write metric>=number, such as auc>=0.99")
        return cls(metric=match[1], relation=">=" if ">" in match[2] else "<=", value=float(match[3]))

    def met(self, metrics: dict[str, float]) -> bool:
        if self.metric not in metrics:
            return False
        value = metrics[self.metric]
        return value >= self.value if self.relation == ">=" else value <= self.value


class EarlyStop(Record):
    """Stop a job whose reported `metric` at a step is worse than `quantile` of the finished jobs at that step."""

    metric: str
    goal: Literal["maximize", "minimize"] = "maximize"
    after_step: int = Field(default=1, ge=0)
    quantile: float = Field(default=0.5, gt=0, lt=1)
    min_jobs: int = Field(default=4, ge=1, description="finished jobs needed before any is stopped")


class NoisePlan(Record):
    """How often the baseline is repeated at the start, and the pairs of the verdict at the end."""

    repeats: int = Field(default=3, ge=1)
    verdict_pairs: int = Field(default=5, ge=0, description="fresh seeds that compare best and baseline")
    confirmations: int = Field(default=12, ge=0, description="jobs that may repeat a new best and the one before")
    confirmation_pairs: int = Field(default=2, ge=1, description="further seeds on which both are repeated")


class Sealed(Record):
    """An evaluation that nobody sees before the end: run once on the best and on the baseline, never told the council.

    The command is given the configuration like a job's, and prints `metric`.
    """

    command: tuple[str, ...] = Field(min_length=1)
    metric: str
    goal: Literal["maximize", "minimize"] = "maximize"

    @field_validator("command", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        if isinstance(value, str):
            raise ValueError('write the command as a list: ["{python}", "{here}/test.py", "{config}"]')
        return value


class Use(BaseModel):
    """A role by name, with the parameters of its factory: `{use: novelty, radius: 0.05}` or just `novelty`."""

    model_config = ConfigDict(frozen=True, extra="allow")
    use: str
    weight: float = Field(default=1.0, ge=0)
    model: str = Field(default="", description="the language model of this seat; empty: the campaign's")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"use": value} if isinstance(value, str) else value

    @property
    def parameters(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Price(Record):
    """US dollars for a million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)


class ModelPlan(Record):
    """Which language model the roles use, if any, and how it is called.  Written short as `model: ollama:llama3.2`.

    `use` is none, auto (a reachable Ollama, else none), ollama:NAME, openai:NAME, replay:FILE, module:factory or
    file.py:factory.  A role, and then a seat (`{use: persona, model: …}`), may name another.
    """

    use: str = Field(default="none", min_length=1)
    roles: dict[ModelRole, str] = Field(default={})
    temperature: float = Field(default=0.0, ge=0, le=2)
    context_tokens: int = Field(default=8192, ge=512, description="asked of a model whose context can be chosen")
    timeout_s: float = Field(default=120.0, gt=0, description="of one call, whatever it waits for")
    retries: int = Field(default=2, ge=0, description="further attempts where it was silent")
    first_pause_s: float = Field(default=0.5, gt=0, description="before the second attempt; doubled before each other")
    repairs: int = Field(default=2, ge=0, description="times an invalid answer is sent back")
    concurrency: int = Field(default=4, ge=1, description="calls in flight")
    prices: dict[str, Price] = Field(default={}, description="by model; local ones cost nothing")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"use": value} if isinstance(value, str) else value

    @field_validator("timeout_s", mode="before")
    @classmethod
    def _duration(cls, value: Any) -> float:
        return parse_duration(value)


class CodePlan(Record):
    """What a campaign of kind `code` may change, and how a changed copy is judged.

    `root` is taken as it stands when the campaign begins: all of it is there when a candidate runs, and only what
    `files` match may differ.  `judge` is what no candidate may touch, whatever `files` say; tests and benchmark lie
    there.  The benchmark prints JSON: `seconds`, and `check`, a hash of its results that must be the base's on the same
    seed.  It is given `--seed N`.  Both commands run in the sandbox with `root` as their folder.
    """

    root: str = "."
    files: tuple[str, ...] = Field(min_length=1, description="patterns below root, such as src/**/*.py")
    judge: tuple[str, ...] = Field(default=("tests", "benchmark"), description="files and folders below root")
    tests: tuple[str, ...] = Field(min_length=1, description="exit code 0: passed; pytest's are counted one by one")
    benchmark: tuple[str, ...] = Field(min_length=1)
    run_time_s: float = Field(default=60.0, gt=0, description="of one run of the tests or the benchmark")
    memory_mb: float = Field(default=1024.0, gt=0, description="of one run")
    pairs: int = Field(default=12, ge=2, description="runs of base and candidate in turn, at most")
    worth: float = Field(default=0.02, ge=0, description="a speed-up below this share is not worth telling")
    archive: dict[str, int | tuple[float, ...]] = Field(
        default={"change_size": 6, "complexity": 5}, description="measure → bins to learn, or their edges"
    )

    @field_validator("run_time_s", mode="before")
    @classmethod
    def _duration(cls, value: Any) -> float:
        return parse_duration(value)

    @field_validator("tests", "benchmark", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        if isinstance(value, str):
            raise ValueError('write the command as a list: ["{python}", "-m", "pytest", "-q", "tests"]')
        return value

    def is_judged_by(self, path: str) -> bool:
        """Whether a path below root is one of the judge's files, or lies in one of its folders."""
        return any(path == own or path.startswith(f"{own.rstrip('/')}/") for own in self.judge)


class Council(Record):
    """Who sits in it."""

    director: Use = Use(use="thresholds")
    proposers: tuple[Use, ...] = (Use(use="bayes"), Use(use="quasi_random"), Use(use="recombine"), Use(use="probe"))
    voting: tuple[Use, ...] = (Use(use="world_model"), Use(use="novelty"), Use(use="constraints"))
    supervisor: Use = Use(use="gatekeeper")
    executor: Use = Use(use="job")
    historian: Use = Use(use="chronicler")
    jobs_per_cycle: int = Field(default=3, ge=1)

    @field_validator("proposers", "voting")
    @classmethod
    def _someone(cls, value: tuple[Use, ...]) -> tuple[Use, ...]:
        if not value:
            raise ValueError("name at least one")
        return value


CODE: dict[str, Any] = {
    "command": ["{python}", "-m", "agents.judge", "{directory}"],
    "space": {PATCH: {"type": "patch"}},
    "baseline": {PATCH: ""},
}
"""What stands in for command, space and baseline in a campaign of kind `code`."""

CODE_COUNCIL: dict[str, Any] = {
    "proposers": ["refine", "recombine_code", "revise", "constants", "lint_fixes"],
    "voting": ["operator_record", "change_size", "change_novelty"],
    "executor": "judge",
    "historian": "code_chronicler",
}
CODE_NOISE = {"repeats": 2, "verdict_pairs": 3, "confirmations": 4, "confirmation_pairs": 1}
"""Every candidate is measured in pairs with its base by its judge; what is repeated beside that is little."""
CODE_LIMITS: dict[str, Any] = {"time_s": 900, "memory_mb": 4096, "parallel": 1}
"""One candidate at a time: two that are measured side by side disturb each other."""


LIVE: dict[str, Any] = {
    "command": ["{python}", "-c", "pass"],
    "space": {PATCH: {"type": "patch"}},
    "baseline": {PATCH: ""},
}
"""What stands in for command, space and baseline in a campaign of kind `live`: no job is run, a service is."""

OF_ONE_CYCLE = ("window_hours", "max_improvements", "trigger")
"""What may be another in each cycle of a campaign of kind `live`."""

LIVE_COUNCIL: dict[str, Any] = {
    "director": "triage",
    "proposers": ["improver"],
    "voting": ["improvement_record", "impact", "validation"],
    "executor": "deployer",
    "historian": "assessor",
}


class Campaign(Record):
    """A campaign as asked for.  `here` is the folder of its file, the meaning of `{here}` in the command."""

    name: str = Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._\-]{0,63}$")
    kind: Literal["experiment", "code", "live"] = "experiment"
    description: str = ""
    command: tuple[str, ...] = Field(min_length=1)
    code: CodePlan | None = Field(default=None, description="in a campaign of kind code, in place of command and space")
    live: LivePlan | None = Field(default=None, description="in a campaign of kind live, in place of command and space")
    objective: Objective
    objectives: tuple[Objective, ...] = Field(default=(), description="several: the first is `objective`, and decides")
    metrics: tuple[str, ...] = Field(default=(), description="metrics a finished job must give")
    patterns: dict[str, str] = Field(default={}, description="metric → regular expression with one group")
    space: dict[str, dict[str, Any]] = Field(min_length=1)
    forbidden: tuple[dict[str, Any], ...] = Field(default=(), description="regions that must not be tried")
    rules: tuple[str, ...] = Field(default=(), description="across parameters, such as train + val == 1.0")
    baseline: Config
    seed: int = 0
    environment: dict[str, str] = Field(default={})
    retries: int = Field(default=1, ge=0, description="further attempts for a lost job")
    limits: Limits = Limits()
    budget: Budget = Budget()
    until: Target | None = None
    early_stop: EarlyStop | None = None
    noise: NoisePlan = NoisePlan()
    council: Council = Council()
    model: ModelPlan = ModelPlan()
    approvals: ApprovalPlan = ApprovalPlan()
    control: tuple[Literal["random", "tpe", "best_of_n"], ...] = ()
    sealed: Sealed | None = None
    cost_metric: str = Field(default="", description="a metric the voters treat as cost; lower is cheaper")
    here: str = "."
    file: str = Field(default="", description="the name of its file in `here`; empty where it has none")

    @model_validator(mode="before")
    @classmethod
    def _of_code(cls, data: Any) -> Any:
        """A campaign of kind `code` has the judge as its command, the patch as its space, and a council for it."""
        if not isinstance(data, dict) or data.get("kind") != "code":
            return data
        _has_none_of_its_own(data, CODE, "`code` says what changes and what judges it")
        told = {"objective": {"metric": "speedup"}, "noise": CODE_NOISE, **data, **CODE}
        council = data.get("council")
        if council is None or isinstance(council, dict):
            told["council"] = {**CODE_COUNCIL, **(council or {})}
        limits = data.get("limits")
        if limits is None or isinstance(limits, dict):
            told["limits"] = {**CODE_LIMITS, **(limits or {})}
        return told

    @model_validator(mode="before")
    @classmethod
    def _of_live(cls, data: Any) -> Any:
        """A campaign of kind `live` has no jobs; its council puts changes of a running service live."""
        if not isinstance(data, dict) or data.get("kind") != "live":
            return data
        _has_none_of_its_own(data, LIVE, "`live` says which service is improved")
        told = {"objective": {"metric": "latency_reduction_percent"}, "budget": {"cycles": 1}, **data, **LIVE}
        council = data.get("council")
        if council is None or isinstance(council, dict):
            told["council"] = {**LIVE_COUNCIL, **(council or {})}
        return told

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Campaign:
        if self.kind == "live" and self.live is None:
            raise ValueError("a campaign of kind live says under `live` which service is improved")
        if self.kind != "live" and self.live is not None:
            raise ValueError("`live` belongs to a campaign of `kind: live`")
        if self.kind == "live" and self.control:
            raise ValueError("control: a campaign of kind live has no control arm")
        if self.kind == "code" and self.code is None:
            raise ValueError("a campaign of kind code says under `code` what may change, its tests and its benchmark")
        if self.kind != "code" and self.code is not None:
            raise ValueError("`code` belongs to a campaign of `kind: code`")
        odd = [arm for arm in self.control if arm == ("tpe" if self.kind == "code" else "best_of_n")]
        if odd:
            known = "random, best_of_n" if self.kind == "code" else "random, tpe"
            raise ValueError(f"control: a campaign of kind {self.kind} has no arm {odd[0]}; known: {known}")
        return self

    @model_validator(mode="before")
    @classmethod
    def _first_decides(cls, data: Any) -> Any:
        """`objectives` alone is enough: the first is the objective, and the others are metrics that a job must give."""
        several = data.get("objectives") if isinstance(data, dict) else None
        if not several or not isinstance(several, list | tuple):
            return data
        told = [Objective.model_validate(one) for one in several]
        names = [one.metric for one in told]
        if len(set(names)) < len(names):
            raise ValueError(f"objectives name a metric twice: {', '.join(names)}")
        first = data.get("objective", told[0])
        if Objective.model_validate(first) != told[0]:
            raise ValueError("`objective` and the first of `objectives` differ; give one of the two")
        metrics = [*(data.get("metrics") or ()), *names[1:]]
        return {**data, "objective": told[0], "objectives": told, "metrics": list(dict.fromkeys(metrics))}

    @field_validator("until", mode="before")
    @classmethod
    def _target(cls, value: Any) -> Any:
        return Target.parse(value) if isinstance(value, str) else value

    @field_validator("command", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        if isinstance(value, str):
            raise ValueError('write the command as a list: ["{python}", "{here}/train.py", "{config}"]')
        return value

    def model_of(self, role: ModelRole, seat: Use) -> str:
        """Which model a seat is to use, as asked: the seat's own, else the role's, else the campaign's."""
        return seat.model or self.model.roles.get(role, self.model.use)

    def wants_model(self) -> bool:
        """Whether any seat is to use a language model."""
        return any(spec != "none" for spec in self.models())

    def models(self) -> tuple[str, ...]:
        """Every language model that it names, as asked, each once: its own, then its roles' and its seats'."""
        council = self.council
        seats = (*council.proposers, *council.voting, council.director, council.supervisor, council.historian)
        asked = [self.model.use, *self.model.roles.values(), *(seat.model for seat in seats if seat.model)]
        return tuple(dict.fromkeys(asked))

    @property
    def path(self) -> str:
        """What `run` takes: its file, or its folder where the file is not known."""
        return str(Path(self.here) / self.file) if self.file else self.here

    def fingerprint(self) -> str:
        """The identity of what is asked: everything but budgets and approvals, which may change while it runs, and the
        name of its file."""
        left_out = dict.fromkeys(("budget", "until", "description", "control", "approvals", "file"), True)
        left_out |= {name: True for name in ("code", "live") if getattr(self, name) is None}
        told = self.model_dump(mode="json", exclude=left_out)
        for name in OF_ONE_CYCLE if self.live else ():
            del told["live"][name]
        return content_hash(told)[:16]


def _has_none_of_its_own(data: dict[str, Any], given: dict[str, Any], hint: str) -> None:
    """Command, space and baseline are not the user's to say.  Raises ValueError."""
    for name, stands in given.items():
        told = list(data[name]) if isinstance(data.get(name), tuple) else data.get(name)
        if name in data and told != stands:
            raise ValueError(f"a campaign of kind {data['kind']} has no {name}: {hint}")
