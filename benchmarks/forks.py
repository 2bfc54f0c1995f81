"""What it costs to go back: the preview of a rewind, and a fork, of a campaign with a long past.

    python benchmarks/forks.py [--trials 500]

Ten events a trial and a finished job each; the fork is at the last whole cycle, so that it copies nearly all of them.
Processor time, median of five.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from exports import PER_CYCLE, tell

from agents.executors.job import job_id
from core.events import JobFinished
from core.forks import ForkPoint
from graph.forking import fork, share_of
from memory.ledger import Ledger, StoredCampaign


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=500)
    args = parser.parse_args()
    point = ForkPoint(cycle=args.trials // PER_CYCLE)
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder) / "ledger.db") as ledger:
        stored = tell(ledger, args.trials)
        run(ledger, stored)
        print(f"{ledger.last_seq()} events, {args.trials} jobs")
        print(f"preview  {processor_ms(lambda: share_of(ledger, stored, point)):8.0f} ms")
        print(f"fork     {processor_ms(lambda: fork(ledger, stored, point)):8.0f} ms")


def run(ledger: Ledger, stored: StoredCampaign) -> None:
    """The effects of its jobs."""
    for event in ledger.events(stored.id, types=(JobFinished,)):
        if isinstance(event, JobFinished):
            config, seed = event.outcome.config, event.outcome.seed
            name = job_id(stored.id, config, seed)
            effect = ledger.effects.begin(name, "job", stored.id, {"config": config, "seed": seed})
            ledger.effects.finish(effect, event.outcome.model_dump_json())


def processor_ms(work: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        used = time.process_time()
        work()
        times.append((time.process_time() - used) * 1e3)
    return statistics.median(times)


if __name__ == "__main__":
    main()
