"""What the nodes are handed by LangGraph's runtime context: never checkpointed, passed anew at every start."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from agents.code.population import BASE, Population
from agents.code.work import CodeWork
from agents.live.work import LiveWork
from agents.roles import Case, Kit, RecallView
from core.approvals import Answer
from core.campaign import Campaign, ModelRole, Use
from core.events import AnyEvent
from core.guidance import Door, Guidance
from core.ids import Clock, content_hash, system_clock
from core.records import Direction
from graph.approvals import open_approvals
from graph.asking import Inquiry
from graph.council import Council, named
from graph.family_recall import FamilyRecall
from graph.seat_models import SeatModels
from memory.approvals import Approvals
from memory.candidates import Candidates
from memory.guidance import GuidanceBook
from memory.history import History
from memory.ledger import Ledger
from memory.lineage import family
from runtime.jobs import Jobs
from search.space import Space

__all__ = ["CALLBACK_TIMEOUT_S", "Context", "GuidanceCallback", "opening_case", "role_seed"]

CALLBACK_TIMEOUT_S = 10.0
"""How long a callback may think; then the cycle goes on without it."""

Said = str | Iterable[str] | None
GuidanceCallback = Callable[[Case], Said | Awaitable[Said]]
"""A callable that is asked for guidance, plain or async: a sentence, several, or None."""


@dataclass
class Context:
    campaign_id: str
    campaign: Campaign
    space: Space
    council: Council
    ledger: Ledger
    history: History
    jobs: Jobs
    recall: RecallView | None
    experiments_folder: Path
    clock: Clock = system_clock
    models: SeatModels | None = None
    code: CodeWork | None = None
    live: LiveWork | None = None
    candidates: Candidates | None = None
    inquiry: Inquiry | None = None
    on_guidance: tuple[GuidanceCallback, ...] = ()
    """Asked at the beginning of every cycle for sentences of guidance."""
    callback_timeout_s: float = CALLBACK_TIMEOUT_S
    heard: set[tuple[int, str]] = field(default_factory=set)
    """The nodes, by cycle, at which guidance was asked for by this process."""
    origin: str = ""
    """Of a fork: the campaign at the beginning of its line."""
    _opening: Case | None = None

    @cached_property
    def uses(self) -> dict[tuple[str, str], Use]:
        """The campaign's word for each seat that may have a model, by role and name of the seat."""
        council = self.campaign.council
        told = {("proposer", name): use for name, use in named(council.proposers).items()}
        told |= {("voter", name): use for name, use in named(council.voting).items()}
        for role in ("director", "supervisor", "historian"):
            use = getattr(council, role)
            told[role, use.use] = use
        return told

    @cached_property
    def approvals(self) -> Approvals:
        return open_approvals(self.ledger)

    def hear(self, answer: Answer, cycle: int) -> None:
        """A person's word to the council becomes guidance; told twice, it is one."""
        door: Door = answer.door if answer.door in get_args(Door) else "cli"  # type: ignore[assignment]
        author = answer.by or "human"
        GuidanceBook(self.ledger).give(self.campaign_id, answer.text, author=author, door=door, cycle=cycle)

    def tell(self, *events: AnyEvent) -> None:
        """Append to the ledger; the history hears of it as a listener."""
        self.ledger.append(*events)

    def case(self, cycle: int, direction: Direction | None = None, node: str = "historian", **more: Any) -> Case:
        """The case as it stood when the cycle began, with what the cycle itself has brought so far.

        Its guidance is what is in force at that node.
        """
        if self._opening is None or self._opening.cycle != cycle:
            population = None if self.code is None else known_before(self.code.population, self.history, cycle)
            self._opening = opening_case(
                self.campaign_id,
                self.campaign,
                self.space,
                self.history,
                cycle,
                population=population,
                origin=self.origin,
            )
        guided = self.history.guidance(cycle, node)
        return replace(self._opening, direction=direction, guidance=guided, **self._of_live(cycle), **more)

    def kit(self, cycle: int, role: str, name: str, campaign: Campaign | None = None) -> Kit:
        """The kit of one role; its randomness depends on campaign seed, cycle, role and name only.

        `campaign` stands in for the campaign as it is asked for.
        """
        seed = role_seed(self.campaign.seed, cycle, role, name)
        return Kit(
            rng=np.random.default_rng(seed),
            recall=self.recall,
            clock=self.clock,
            emit=self.tell,
            jobs=self.jobs,
            effects=self.ledger.effects,
            experiments_folder=self.experiments_folder,
            campaign=campaign or self.campaign,
            campaign_id=self.campaign_id,
            history=self.history.experiments(before=cycle),
            code=self.code,
            live=self.live,
            **self._of_live(cycle),
            **self._models(cycle, role, name, seed),
        )

    def _of_live(self, cycle: int) -> dict[str, Any]:
        """What a cycle on a live service has found and checked so far."""
        told = self.history.cycles.get(cycle)
        if self.live is None or told is None:
            return {}
        return {"opportunities": tuple(told.opportunities.values()), "validated": dict(told.validated)}

    def _models(self, cycle: int, role: str, name: str, seed: int) -> dict[str, Any]:
        """The model of a seat, and how it comes by another."""
        use = self.uses.get((role, name))
        if self.models is None or use is None:
            return {}
        models, of = self.models, cast("ModelRole", role)
        asked = self.campaign.model_of(of, use)
        return {
            "model": models.of(of, name, use, cycle, seed),
            "models": lambda spec, temperature: models.named(spec or asked, of, name, cycle, seed, temperature),
        }

    def take_recall(self, opened: Any) -> None:
        """Search in `opened` from now on, as this campaign is to see it among its forks."""

        def others() -> set[str]:
            root = self.origin or self.campaign_id
            return {root, *(one.campaign_id for one in family(self.ledger, root))} - {self.campaign_id}

        self.recall = None if opened is None else FamilyRecall(opened, self.history, others)

    async def aclose(self) -> None:
        """End its jobs, and let go of models and of the index, for whoever comes next."""
        await self.jobs.shutdown()
        if self.models is not None:
            await self.models.aclose()
        close = getattr(self.recall, "close", None)
        if close is not None:
            close()

    def remember(self, items: Sequence[Any]) -> None:
        """Hand trajectories and lessons to recall, where there is one that can be written."""
        remember = getattr(self.recall, "remember", None)
        if remember is not None and items:
            remember(items)


def opening_case(
    campaign_id: str,
    campaign: Campaign,
    space: Space,
    history: History,
    cycle: int,
    guidance: tuple[Guidance, ...] = (),
    population: Population | None = None,
    origin: str = "",
) -> Case:
    """The case as it stood when the cycle began, whatever the history has come to know since."""
    return Case(
        campaign_id=campaign_id,
        campaign=campaign,
        space=space,
        cycle=cycle,
        history=history.experiments(before=cycle),
        directions=tuple(c.direction for n, c in sorted(history.cycles.items()) if n < cycle and c.direction),
        baseline=history.baseline,
        best=history.best(before=cycle),
        lessons=history.lessons(before=cycle),
        applied=history.applied(before=cycle),
        guidance=guidance,
        population=population,
        improvements=history.assessed(before=cycle),
        origin=origin,
        records=history.track_records("voter", before=cycle),
    )


def known_before(population: Population, history: History, cycle: int) -> Population:
    """The population with all that was known before the cycle began."""
    baseline = history.baseline
    if baseline is not None:
        first = history.outcomes.get(baseline.jobs[0]) if baseline.jobs else None
        if first is not None:
            population.tell_profile(BASE, first.details.get("profile", {}))
        population.catch_up(history.experiments(before=cycle), baseline.mean, baseline.noise_sd)
    return population


def role_seed(campaign_seed: int, cycle: int, role: str, name: str) -> int:
    """The seed of a role's randomness."""
    return int(content_hash(campaign_seed, cycle, role, name)[:16], 16)
