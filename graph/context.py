"""What the nodes are handed by LangGraph's runtime context: never checkpointed, passed anew at every start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from agents.roles import Case, Kit, RecallView
from core.campaign import Campaign
from core.events import AnyEvent
from core.ids import Clock, content_hash, system_clock
from core.records import Direction, Guidance
from graph.council import Council
from memory.history import History
from memory.ledger import Ledger
from runtime.jobs import Jobs
from search.space import Space

__all__ = ["Context", "opening_case", "role_seed"]


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
    guidance: tuple[Guidance, ...] = ()
    _opening: Case | None = None

    def tell(self, *events: AnyEvent) -> None:
        """Append to the ledger; the history hears of it as a listener."""
        self.ledger.append(*events)

    def case(self, cycle: int, direction: Direction | None = None, **more: Any) -> Case:
        """The case as it stood when the cycle began, with what the cycle itself has brought so far."""
        if self._opening is None or self._opening.cycle != cycle:
            self._opening = opening_case(
                self.campaign_id, self.campaign, self.space, self.history, cycle, guidance=self.guidance
            )
        return replace(self._opening, direction=direction, **more)

    def kit(self, cycle: int, role: str, name: str, campaign: Campaign | None = None) -> Kit:
        """The kit of one role; its randomness depends on campaign seed, cycle, role and name only.

        `campaign` stands in for the campaign as it is asked for.
        """
        return Kit(
            rng=np.random.default_rng(role_seed(self.campaign.seed, cycle, role, name)),
            recall=self.recall,
            clock=self.clock,
            emit=self.tell,
            jobs=self.jobs,
            effects=self.ledger.effects,
            experiments_folder=self.experiments_folder,
            campaign=campaign or self.campaign,
            campaign_id=self.campaign_id,
            history=self.history.experiments(before=cycle),
        )

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
        records=history.track_records("voter", before=cycle),
    )


def role_seed(campaign_seed: int, cycle: int, role: str, name: str) -> int:
    """The seed of a role's randomness."""
    return int(content_hash(campaign_seed, cycle, role, name)[:16], 16)
