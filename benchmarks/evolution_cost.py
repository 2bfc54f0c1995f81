"""CPU of a campaign on code beside its candidates' own cost, by the number of candidates so far; and what one takes.

    python benchmarks/evolution_cost.py [--at 10,100,500]

The judge is answered in-process at no cost, with made-up scores; everything else is real: LangGraph with its
checkpoints, the ledger on disk, patches, the archive, the transformations of `campaigns/log_analysis`.  Prints the
median over the five cycles before each number: of making the candidates (parsing, transforming, merging; the proposers
take turns here, so that each is measured alone) and of all the rest.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.campaign import Campaign
from core.events import BaselineMeasured
from core.records import PATCH, Baseline
from graph.campaign import context_of, one_cycle, open_cycle
from graph.campaign_file import read_campaign
from memory.state_folder import StateFolder

HERE = Path(__file__).parent
PACKAGE = HERE.parent / "campaigns" / "log_analysis"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--at", default="10,100,500")
    args = arguments.parse_args()
    wanted = [int(word) for word in args.at.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        figures, home = asyncio.run(measure(Path(folder), max(wanted)))
        first = 0.0
        print(f"{'candidates':>10}  {'making':>8}  {'the rest':>8}   CPU ms a candidate")
        for number in wanted:
            near = [row for row in figures if row[0] <= number][-5:]
            making = statistics.median(row[1] for row in near)
            rest = statistics.median(row[2] for row in near)
            first = first or rest
            print(f"{number:>10}  {making:>8.1f}  {rest:>8.1f}   {rest / first:.2f}×")
        rows = sum(file.stat().st_size for file in home.glob("ledger.db*"))
        patches = sum(file.stat().st_size for file in (home / "artifacts").rglob("*") if file.is_file())
        count = figures[-1][0]
        print(f"{count} candidates: ledger {rows / count / 1024:.1f} KB, patches {patches / count / 1024:.1f} KB each")


class Turns:
    """Proposers one after the other, and the processor time that they took, milliseconds."""

    def __init__(self) -> None:
        self.took = 0.0
        self._turn = asyncio.Lock()

    def timed(self, role: Any) -> Any:
        async def propose(case: Any, kit: Any) -> Any:
            async with self._turn:
                began = time.process_time()
                made = await role(case, kit)
                self.took += 1000 * (time.process_time() - began)
            return made

        return propose


async def measure(folder: Path, most: int) -> tuple[list[tuple[int, float, float]], Path]:
    """(candidates so far, CPU milliseconds a candidate of making it, and of the rest) by cycle."""
    campaign = read_campaign(PACKAGE)
    council = {**campaign.council.model_dump(), "executor": f"{HERE / 'instant.py'}:instant_judge"}
    campaign = Campaign.model_validate({**campaign.model_dump(), "council": council, "until": None})
    home = StateFolder(folder / "home")
    figures: list[tuple[int, float, float]] = []
    turns = Turns()
    with home.open_ledger() as ledger:
        stored = ledger.create_campaign(campaign)
        context = context_of(home, ledger, stored)
        seats = {name: turns.timed(role) for name, role in context.council.proposers.items()}
        context.council = replace(context.council, proposers=seats)
        forget = ledger.listen(context.history.apply)
        baseline = Baseline(config={PATCH: ""}, seeds=(0, 1), scores=(1.0, 1.01), metrics={"speedup": 1.0})
        context.tell(BaselineMeasured(campaign_id=stored.id, baseline=baseline))
        with open_cycle(home, stored.id) as graph:
            number, count = 0, 0
            while count < most and number < 3 * most:
                number += 1
                began, turns.took = time.process_time(), 0.0
                assert await one_cycle(graph, context, number)
                took = 1000 * (time.process_time() - began)
                new = len(context.history.experiments()) - count
                if new:
                    count += new
                    figures.append((count, turns.took / new, (took - turns.took) / new))
        forget()
        await context.jobs.shutdown()
    return figures, home.home


if __name__ == "__main__":
    main()
