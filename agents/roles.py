"""The roles, each one async call over records, and what a role is handed: the case and the kit.

    Director    (case, kit)            → Direction
    Proposer    (case, kit)            → proposals
    Voter       (proposal, case, kit)  → Vote
    Supervisor  (proposal, case, kit)  → Ruling
    Executor    (proposal, kit)        → Outcome
    Historian   (experiments, case, kit) → lessons

What every role may rely on: higher scores are better; `case.history` holds finished trials of earlier cycles only,
so an answer that depends on nothing but case, kit.rng and recall is the same when a killed cycle is run again.
What every role owes: never block the event loop, never keep state between calls, draw randomness from `kit.rng` only.
A role that raises is reported and left out of that cycle (proposers, voters) or ends it with the error (the others).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from agents.code.population import Population
from agents.code.work import CodeWork
from agents.forecasts import Oracle
from agents.guidance.steering import Steering
from agents.live.work import LiveWork
from core.campaign import Campaign
from core.events import AnyEvent, ImprovementValidated
from core.ids import Clock, system_clock
from core.improvement import ImpactAssessment, ImprovementOpportunity
from core.models import Model
from core.records import (
    PATCH,
    Baseline,
    Config,
    Direction,
    Experiment,
    Guidance,
    Kind,
    Lesson,
    Memory,
    Mode,
    Outcome,
    Proposal,
    Ruling,
    Tally,
    TrackRecord,
    Vote,
)
from memory.effects import Effects
from runtime.jobs import Jobs
from search.constraints import Forbidden, Region
from search.rules import Rule, parse_rules, repair
from search.space import Space
from search.trials import Trial
from search.world_model import WorldModel

__all__ = ["Case", "Director", "Executor", "Historian", "Kit", "Proposer", "RecallView", "Supervisor", "Voter"]


T = TypeVar("T")


class RecallView(Protocol):
    """Search in what was remembered, by meaning."""

    def search(
        self, text: str, k: int = 5, *, collection: str | None = None, campaign_id: str | None = None
    ) -> list[Memory]:
        """The `k` memories most similar to `text`, most similar first."""
        ...


@dataclass(frozen=True)
class Case:
    """What a role sees in a cycle."""

    campaign_id: str
    campaign: Campaign
    space: Space
    cycle: int
    history: tuple[Experiment, ...] = ()
    baseline: Baseline | None = None
    best: Experiment | None = None
    directions: tuple[Direction, ...] = ()
    """The directions of the earlier cycles, oldest first."""
    direction: Direction | None = None
    lessons: tuple[Lesson, ...] = ()
    applied: tuple[Proposal, ...] = ()
    """The code and comment proposals that were carried out in earlier cycles."""
    guidance: tuple[Guidance, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    """What lies on the table in this cycle; empty for directors and proposers."""
    votes: tuple[Vote, ...] = ()
    tallies: tuple[Tally, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    """For a supervisor: those already given in this cycle, in the order of the tally."""
    records: dict[str, TrackRecord] = field(default_factory=dict)
    """Track records of the voters by name."""
    population: Population | None = None
    """In a campaign of kind `code`: its candidates of earlier cycles."""
    opportunities: tuple[ImprovementOpportunity, ...] = ()
    """In a campaign of kind `live`: what this cycle has found, the most urgent first."""
    validated: dict[str, ImprovementValidated] = field(default_factory=dict)
    """In a campaign of kind `live`: the checks that were done in this cycle, by proposal."""
    improvements: tuple[tuple[Proposal, ImpactAssessment], ...] = ()
    """In a campaign of kind `live`: what became of the improvements of earlier cycles, oldest first."""
    origin: str = ""
    """Of a fork: the campaign at the beginning of its line."""
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    """Shared by all cases of one cycle: results that depend on the case alone, such as the fitted world model."""

    @property
    def line(self) -> str:
        """What lessons are known by: a campaign and its forks tell the same lesson under the same id."""
        return self.origin or self.campaign_id

    @property
    def mode(self) -> Mode:
        return self.direction.mode if self.direction else "explore"

    @property
    def scores(self) -> list[float]:
        """Scores of the finished trials that gave one, oldest first."""
        return self._once("scores", lambda: [e.score for e in self.history if e.score is not None and e.outcome.ok])

    @property
    def reference(self) -> float | None:
        """The score to beat: the best so far, else the baseline's mean."""
        if self.best is not None and self.best.score is not None:
            mean = self.baseline.mean if self.baseline else self.best.score
            return max(self.best.score, mean)
        return self.baseline.mean if self.baseline else None

    def trials(self) -> list[Trial]:
        """The history as the arithmetic of `search` wants it, the baseline first."""
        return self._once("trials", self._trials)

    def world_model(self) -> WorldModel:
        """The world model fitted to the history, once a cycle."""
        return self._once(
            "world_model", lambda: WorldModel.fit(self.space, self.trials(), seed=self.campaign.seed + self.cycle)
        )

    def oracle(self) -> Oracle:
        """Calibrated predictions of the score and of every named metric, made once a cycle."""
        return self._once("oracle", lambda: Oracle(self.campaign, self.world_model(), self.history, self.baseline))

    def nearest_gap(self, config: Config) -> float:
        """The distance to the nearest finished trial or the baseline, in 0 … 1; 1 when nothing was tried."""
        return self.space.nearest_gap(config, self._once("tried", self._tried))

    def _once(self, name: Hashable, make: Callable[[], T]) -> T:
        """What depends on the history alone, made once a cycle."""
        if name not in self.memo:
            self.memo[name] = make()
        made: T = self.memo[name]
        return made

    def _tried(self) -> list[Config]:
        return [e.config for e in self.history] + ([self.baseline.config] if self.baseline else [])

    def _trials(self) -> list[Trial]:
        noise = self.baseline.noise_sd if self.baseline else None
        worst = min([*self.scores, *(self.baseline.scores if self.baseline else ())], default=0.0)
        told = [
            # a job stopped as hopeless says where not to go: it counts as the worst that ran to its end
            Trial(e.proposal.id, e.config, worst if e.outcome.status == "stopped" else e.score, e.proposal.cycle, noise)
            for e in self.history
            if e.outcome.tells_of_config
        ]
        if self.baseline is None:
            return told
        first = Trial(id="baseline", config=self.baseline.config, value=self.baseline.scores[0], cycle=0, noise=noise)
        return [first, *told]

    def rules(self) -> tuple[Rule, ...]:
        """The campaign's rules across parameters."""
        return self._once("rules", lambda: parse_rules(self.campaign.rules, self.space))

    def steering(self) -> Steering:
        """What the guidance in force comes to."""
        told = tuple(one.model_dump_json() for one in self.guidance)  # the memo is shared by cases of other guidance
        return self._once(("steering", told), self._steering)

    def _steering(self) -> Steering:
        if not self.guidance:
            return Steering((), self.space)
        return Steering(self.guidance, self.space, self._own_limits())

    def forbidden(self) -> list[Forbidden]:
        """What must not be tried: the campaign's own regions and rules, limits of guidance, and the learned regions
        that stand.

        Equations are left out: no draw ever keeps one; `propose` solves them.
        """
        return [*self.forbidden_by_the_user(), *self.learned_regions()]

    def forbidden_by_the_user(self) -> list[Forbidden]:
        """The campaign's own regions, its rules but for equations, and the limits of guidance."""
        return [*self._own_limits(), *self.steering().regions]

    def _own_limits(self) -> list[Forbidden]:
        own = [Region.model_validate(region) for region in self.campaign.forbidden]
        return [*own, *(rule for rule in self.rules() if not rule.is_equation)]

    def learned_regions(self) -> list[Region]:
        """The learned regions that stand."""
        return [Region.model_validate(lesson.region) for lesson in self.lessons if lesson.region is not None]

    def propose_files(self, proposer: str, kind: Kind, files: dict[str, str], rationale: str, **rest: Any) -> Proposal:
        """A code or comment proposal of this cycle, by paths relative to the campaign's folder."""
        return Proposal.make(
            campaign_id=self.campaign_id,
            cycle=self.cycle,
            proposer=proposer,
            kind=kind,
            files=files,
            rationale=rationale,
            **rest,
        )

    def propose_code(
        self, proposer: str, files: Mapping[str, str], rationale: str, *, operator: str, **rest: Any
    ) -> Proposal | None:
        """A candidate of this cycle: all files that may change, as they shall be; None when that was judged before.

        A file of the base (`population.base`) that is left out is deleted.

        Raises PatchError for a file that may not be changed.
        """
        assert self.population is not None
        if self.population.is_known(files):
            return None
        return Proposal.make(
            campaign_id=self.campaign_id,
            cycle=self.cycle,
            proposer=proposer,
            kind="code",
            config={PATCH: self.population.keep(files)},
            rationale=rationale,
            operator=operator,
            **rest,
        )

    def propose(self, proposer: str, config: Config, rationale: str, **rest: object) -> Proposal:
        """A proposal of this cycle with its content-derived id.

        `config` is checked against the space; where it breaks an equation among the rules, that is solved.  What is
        expected of it is predicted here, unless the proposer says so itself.
        """
        config = repair(self.space.validate_config(config), self.rules(), self.space)
        if rest.get("expected") is None:
            score, metrics = self.oracle().expect(config)
            rest |= {"expected": score, "expected_metrics": metrics}
        return Proposal.make(
            campaign_id=self.campaign_id,
            cycle=self.cycle,
            proposer=proposer,
            config=config,
            rationale=rationale,
            **rest,
        )


def _unheard(event: AnyEvent) -> None:
    """Where nobody listens."""


@dataclass(frozen=True)
class Kit:
    """What a role is handed besides the case.  Never a global."""

    rng: np.random.Generator
    """Seeded by campaign seed, cycle, role and name: the same draws whenever the node runs again."""
    recall: RecallView | None = None
    clock: Clock = system_clock
    emit: Callable[[AnyEvent], None] = _unheard
    jobs: Jobs | None = None
    effects: Effects | None = None
    experiments_folder: Path | None = None
    campaign: Campaign | None = None
    campaign_id: str = ""
    model: Model | None = None
    """The language model of this seat; None where rules decide alone."""
    models: Callable[[str, float | None], Model | None] | None = None
    """Another model by name (empty: the seat's own), at a temperature (None: the campaign's)."""
    history: tuple[Experiment, ...] = ()
    """The finished trials of earlier cycles, for executors, which are handed no case."""
    code: CodeWork | None = None
    """In a campaign of kind `code`: its base and its candidates, for executors."""
    live: LiveWork | None = None
    """In a campaign of kind `live`: the service, its telemetry and its code."""
    opportunities: tuple[ImprovementOpportunity, ...] = ()
    validated: Mapping[str, ImprovementValidated] = field(default_factory=dict)
    """In a campaign of kind `live`, of this cycle, for executors: what was found, and the checks that were done."""

    def with_model(self, model: str = "", temperature: float | None = None) -> Kit:
        """The kit with another language model, or the same at another temperature; as it is where neither is named."""
        if self.models is None or (not model and temperature is None):
            return self
        return replace(self, model=self.models(model, temperature))

    def remembered(
        self, text: str, k: int = 5, collection: str = "trajectories", campaign_id: str | None = None
    ) -> Sequence[Memory]:
        """What recall finds; nothing when there is no recall."""
        return self.recall.search(text, k, collection=collection, campaign_id=campaign_id) if self.recall else []


class Director(Protocol):
    async def __call__(self, case: Case, kit: Kit) -> Direction: ...


class Proposer(Protocol):
    async def __call__(self, case: Case, kit: Kit) -> Sequence[Proposal]: ...


class Voter(Protocol):
    async def __call__(self, proposal: Proposal, case: Case, kit: Kit) -> Vote: ...


class Supervisor(Protocol):
    async def __call__(self, proposal: Proposal, case: Case, kit: Kit) -> Ruling: ...


class Executor(Protocol):
    async def __call__(self, proposal: Proposal, kit: Kit) -> Outcome: ...


class Historian(Protocol):
    async def __call__(self, outcomes: Sequence[Experiment], case: Case, kit: Kit) -> Sequence[Lesson]: ...
