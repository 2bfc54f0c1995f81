"""A tiny campaign run in this process, its council of small roles; its jobs are processes."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import tiny_roles
from tiny_campaign import write_campaign

from core.events import AnyEvent
from core.ids import Clock, system_clock
from graph.campaign import Ending, Stop, find_or_create, run_campaign
from graph.loading import load_campaign
from memory.history import History
from memory.ledger import Ledger
from memory.state_folder import StateFolder

POINTS = [[0.3, 0.6], [0.6, 0.5]]
ID = "tiny-1"


def council(**seats: Any) -> dict[str, Any]:
    """Two points a cycle, approved by one voter, ruled by the gatekeeper."""
    return {
        "director": "roles.py:many_jobs",
        "proposers": [{"use": "roles.py:fixed", "points": POINTS}],
        "voting": ["roles.py:approve"],
        "historian": "roles.py:silent_historian",
        **seats,
    }


class TinyRun:
    """A tiny campaign in a folder; `home` is its state folder."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder = folder
        quick = {"noise": {"repeats": 1, "verdict_pairs": 0}, "control": [], "budget": {"cycles": 1}}
        self.path = write_campaign(folder, **{**quick, "council": council(), **changes})
        shutil.copy(tiny_roles.__file__, folder / "roles.py")
        self.home = StateFolder(folder / "home")

    def run(
        self, overrides: dict[str, Any] | None = None, *, stop_at: str = "", clock: Clock = system_clock, **more: Any
    ) -> tuple[Ending, History]:
        """Run, or go on; `stop_at` is the type of the event after which it is asked to stop."""
        stop = Stop()

        def listen(event: AnyEvent) -> None:
            if event.type == stop_at:
                stop.request("enough")

        async def main() -> Ending:
            with self.ledger(clock) as ledger:
                stored, _ = find_or_create(ledger, load_campaign(self.path, overrides))
                ledger.listen(listen)
                return await run_campaign(self.home, ledger, stored, stop=stop, **more)

        return asyncio.run(main()), self.history()

    def ledger(self, clock: Clock = system_clock) -> Ledger:
        return Ledger(self.home.home / "ledger.db", clock=clock)

    def history(self) -> History:
        with self.home.open_ledger() as ledger:
            return History.load(ledger, ID)
