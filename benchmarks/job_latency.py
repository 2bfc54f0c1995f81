"""What a job costs beside its own work: to start it, and from its exit to its result being known.

    python benchmarks/job_latency.py [--jobs 50] [--parallel 1]

Each job notes the monotonic clock as its first and its last act (the clock is one for all processes of a machine).
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from runtime.jobs import JobSpec, start

SCRIPT = """
import time
first = time.monotonic()
import os
os.write(1, b'{"first_s": %.6f, "last_s": %.6f}\\n' % (first, time.monotonic()))
os._exit(0)
"""


async def measure(directory: Path, parallel: int) -> dict[str, float]:
    """Milliseconds of one job, the slowest of `parallel` at once."""

    async def one(number: int) -> dict[str, float]:
        spec = JobSpec(
            id=f"job-{number}",
            directory=directory / str(number),
            command=(sys.executable, "-I", "-S", "-c", SCRIPT),
            metrics_required=("first_s", "last_s"),
        )
        asked = time.monotonic()
        running = await start(spec)
        started = time.monotonic()
        result = await running.wait()
        known = time.monotonic()
        if result.status != "ok":
            raise SystemExit(f"job failed: {result.reason}")
        return {
            "asked → start() returns": started - asked,
            "asked → first instruction of the job": result.metrics["first_s"] - asked,
            "last instruction → result known": known - result.metrics["last_s"],
            "asked → result known": known - asked,
        }

    figures = await asyncio.gather(*(one(number) for number in range(parallel)))
    return {name: 1000 * max(figure[name] for figure in figures) for name in figures[0]}


async def main(jobs: int, parallel: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        rows = [await measure(Path(directory) / str(number), parallel) for number in range(jobs)]
    print(f"{jobs} × {parallel} jobs, milliseconds{'p50':>21}{'p95':>8}{'max':>8}")
    for name in rows[0]:
        values = sorted(row[name] for row in rows)
        p95 = statistics.quantiles(values, n=20, method="inclusive")[-1]
        print(f"{name:<40}{statistics.median(values):>8.1f}{p95:>8.1f}{values[-1]:>8.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=50)
    parser.add_argument("--parallel", type=int, default=1)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.jobs, arguments.parallel))
