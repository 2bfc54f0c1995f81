"""CPU of one cycle without its jobs, by the number of past experiments; and of the framework and ledger alone.

    python benchmarks/cycle_cost.py [--past 30,1000] [--repeats 5]

The jobs are computed in-process at no cost, everything else is real: LangGraph with its checkpoints, the ledger on
disk, Chroma, embeddings.  Prints medians over `--repeats` cycles after one to warm up, and the peak memory.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from core.campaign import Campaign
from core.events import (
    BaselineMeasured,
    CycleFinished,
    CycleStarted,
    DirectionSet,
    JobFinished,
    ProposalMade,
    ProposalRuled,
)
from core.records import Baseline, Direction, Outcome, Proposal, Ruling
from graph.campaign import context_of, one_cycle, open_cycle
from memory.ledger import Ledger
from memory.state_folder import StateFolder
from search.space import Space

HERE = Path(__file__).parent
SPACE = {
    "kind": {"type": "choice", "options": ["a", "b", "c"]},
    "rate": {"type": "float", "low": 1e-5, "high": 1.0, "log": True},
    "decay": {"type": "float", "low": 1e-7, "high": 1e-1, "log": True},
    "width": {"type": "int", "low": 4, "high": 128, "log": True},
    "dropout": {"type": "float", "low": 0.0, "high": 0.6},
    "epochs": {"type": "int", "low": 5, "high": 50},
}
BASELINE = {"kind": "a", "rate": 0.1, "decay": 1e-5, "width": 16, "dropout": 0.0, "epochs": 10}
BARE = {
    "director": "instant.py:still",
    "proposers": [{"use": "instant.py:dice", "n": 5}],
    "voting": ["instant.py:nod"],
    "supervisor": "instant.py:wave",
    "historian": "instant.py:mute",
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--past", default="30,1000")
    arguments.add_argument("--repeats", type=int, default=5)
    args = arguments.parse_args()
    print(f"{'':34} CPU ms a cycle: median (min … max)")
    base = 0.0
    for past in map(int, args.past.split(",")):
        figures = asyncio.run(measure(past, {}, args.repeats, recall=True))
        base = base or statistics.median(figures)
        ratio = f"   {statistics.median(figures) / base:.2f}×"
        print(f"{f'council, {past} past experiments':34} {shown(figures)}{ratio}")
    for past in map(int, args.past.split(",")):
        figures = asyncio.run(measure(past, BARE, args.repeats, recall=False))
        print(f"{f'framework and ledger, {past} past':34} {shown(figures)}")
    print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


async def measure(past: int, council: dict[str, object], repeats: int, *, recall: bool) -> list[float]:
    """CPU milliseconds of each of `repeats` cycles after `past` experiments."""
    campaign = Campaign.model_validate(
        {
            "name": "cost",
            "command": ["true"],
            "objective": {"metric": "accuracy"},
            "space": SPACE,
            "baseline": BASELINE,
            "budget": {"cycles": 10_000},
            "council": {"executor": "instant.py:instant", **council},
            "here": str(HERE),
        }
    )
    with tempfile.TemporaryDirectory() as home:
        folder = StateFolder(Path(home))
        with folder.open_ledger() as ledger:
            stored = ledger.create_campaign(campaign)
            fill(ledger, stored.id, past)
            context = context_of(folder, ledger, stored)
            ledger.listen(context.history.apply)
            if recall:
                context.recall = folder.open_recall(ledger)
            figures = []
            with open_cycle(folder, stored.id) as graph:
                for _ in range(repeats + 1):
                    began = time.process_time()
                    await one_cycle(graph, context, context.history.last_finished_cycle + 1)
                    figures.append(1000 * (time.process_time() - began))
    return figures[1:]


def fill(ledger: Ledger, campaign_id: str, past: int) -> None:
    """A history of `past` random experiments, three a cycle."""
    from instant import accuracy

    space = Space.model_validate(SPACE)
    rng = np.random.default_rng(0)
    score = accuracy(BASELINE)
    baseline = Baseline(config=BASELINE, seeds=(0, 1), scores=(score, score + 0.001), metrics={"accuracy": score})
    ledger.append(BaselineMeasured(campaign_id=campaign_id, baseline=baseline))
    for cycle in range(1, past // 3 + 1):
        events: list[object] = [
            CycleStarted(campaign_id=campaign_id, cycle=cycle),
            DirectionSet(
                campaign_id=campaign_id,
                cycle=cycle,
                direction=Direction(cycle=cycle, mode="explore", jobs=3, reason="filled"),
            ),
        ]
        for _ in range(3):
            config = space.sample(rng)
            proposal = Proposal.make(
                campaign_id=campaign_id, cycle=cycle, proposer="dice", config=config, rationale="filled"
            )
            value = accuracy(config) + 0.003 * float(rng.standard_normal())
            outcome = Outcome(
                job_id=f"j-{proposal.id}",
                proposal_id=proposal.id,
                status="ok",
                config=config,
                seed=0,
                metrics={"accuracy": value},
            )
            ruling = Ruling(proposal_id=proposal.id, decision="accept", risk=0, rule="none", reason="filled")
            events += [
                ProposalMade(campaign_id=campaign_id, cycle=cycle, proposal=proposal),
                ProposalRuled(campaign_id=campaign_id, cycle=cycle, ruling=ruling),
                JobFinished(campaign_id=campaign_id, cycle=cycle, purpose="proposal", outcome=outcome, score=value),
            ]
        events.append(CycleFinished(campaign_id=campaign_id, cycle=cycle, stages={}, metrics={}))
        ledger.append(*events)  # type: ignore[arg-type]


def shown(figures: list[float]) -> str:
    return f"{statistics.median(figures):8.1f} ({min(figures):.1f} … {max(figures):.1f})"


if __name__ == "__main__":
    main()
