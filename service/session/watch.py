"""What a running campaign does, on the screen: lines as it happens, a block a cycle, and what the bottom bar says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from core.events import (
    AnyEvent,
    CycleFinished,
    CycleStarted,
    DirectionSet,
    GuidanceGiven,
    GuidanceUsed,
    JobFinished,
    JobReported,
    JobStarted,
    ProposalMade,
    ProposalRuled,
    ProposalTallied,
    VoteCast,
)
from memory.history import History
from service.escape import escaped
from service.progress import Progress
from service.session.blocks import Block, best_so_far
from service.session.names import Names
from service.session.output import SessionOutput
from service.session.questions import DOOR

if TYPE_CHECKING:
    from memory.ledger import Ledger, StoredCampaign

__all__ = ["Watch"]

IN_BLOCKS = frozenset({"director", "proposal", "sharpened", "vote", "supervisor", "new best", "lesson", "failed"})
"""Lines that are left out: the block of the cycle says it."""

STAGES: dict[type[AnyEvent], str] = {
    CycleStarted: "director",
    DirectionSet: "proposers",
    ProposalMade: "proposers",
    VoteCast: "voters",
    ProposalTallied: "supervisor",
    ProposalRuled: "executor",
    JobFinished: "jobs",
    CycleFinished: "cycle done",
}
"""What comes after each of these events, or goes on."""


def _is_known(event: AnyEvent) -> bool:
    """What the block of the cycle tells, or what was typed here a moment ago."""
    return isinstance(event, GuidanceUsed) or (isinstance(event, GuidanceGiven) and event.guidance.door == DOOR)


class Watch:
    """`hear` is what the ledger calls, on the campaign's thread; `rows` may be read on any."""

    def __init__(self, output: SessionOutput, ledger: Ledger, stored: StoredCampaign, names: Names) -> None:
        self._output = output
        self._campaign = stored.definition
        self._id = stored.id
        self._names = names
        self._history = History.load(ledger, stored.id)
        names.read(self._history)
        untold = frozenset() if output.verbose else IN_BLOCKS
        self._lines = Progress(output, stored, self._history, untold=untold, fitted=output.fits, named=names.of)
        self._began = time.monotonic()
        self._stage = "baseline"
        self._running: dict[str, str] = {}
        self._row = ""
        self._notice = ""
        self._sum_up(0)

    def hear(self, event: AnyEvent) -> None:
        """One event of the campaign."""
        self._names.hear(event)
        self._history.apply(event)
        self.overhear(event)
        self._stage = STAGES.get(type(event), self._stage)
        match event:
            case JobStarted():
                self._running = {**self._running, event.job_id: event.purpose}
            case JobReported():
                told = " ".join(f"{name} {value:.4g}" for name, value in event.metrics.items())
                self._running = {**self._running, event.job_id: told}
            case JobFinished():
                self._running = {job: told for job, told in self._running.items() if job != event.outcome.job_id}
            case CycleFinished() if not self._output.quiet and self._output.mode == "text":
                cycle = self._history.cycle(event.cycle)
                self._output.talk(Block(self._campaign, self._history, cycle, self._names, self._output.look()).text())
            case _:
                pass
        self._sum_up(event.cycle)

    def overhear(self, event: AnyEvent) -> None:
        """An event that another process has told, or this one: a line, or a record of the stream."""
        if self._output.mode == "text" and not self._output.verbose and _is_known(event):
            return
        self._lines.hear(event)

    def notice(self, text: str) -> None:
        """What the last row of the bar says; empty: nothing."""
        self._notice = text

    def rows(self) -> list[str]:
        """At most three rows for the bar."""
        seconds = time.monotonic() - self._began
        rows = [f"{self._row}  {seconds:.0f}s"]
        jobs = "  ".join(f"{self._names.of(job)} {told}" for job, told in self._running.items())
        if jobs:
            rows.append(f"jobs  {jobs}")
        if self._notice:
            rows.append(self._notice)
        return [" ".join(escaped(row).split("\n")) for row in rows]

    def _sum_up(self, cycle: int) -> None:
        number = cycle or self._history.last_finished_cycle
        known = best_so_far(self._history)
        best = (
            f"  best {self._campaign.objective.metric} {self._campaign.objective.value(known[-1]):.5g}" if known else ""
        )
        self._row = f"{self._id}  cycle {number}/{self._campaign.budget.cycles}  {self._stage}{best}"
