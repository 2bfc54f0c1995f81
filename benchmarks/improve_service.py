"""A running service improved end to end, several times: what was found, deployed and taken back, and what it took.

    python benchmarks/improve_service.py [--times 3]

Each time `improve campaigns/slow_service --plant-regression --new` in a state folder of its own: real requests, real
checks, a real watch.  Prints one row a run, and fails when a request failed or the planted regression was kept.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PLANTED = "planted"


def once(home: Path) -> dict[str, Any]:
    """One run; seconds on the clock, and of processors as far as children of ours tell."""
    command = [sys.executable, str(ROOT / "run_graph.py"), "--home", str(home), "improve"]
    command += [str(ROOT / "campaigns" / "slow_service"), "--plant-regression", "--new", "--json"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode not in (0, 6):
        raise SystemExit(ended.stderr)
    told = json.loads(ended.stdout)
    assessments = [one for cycle in told["cycles"] for one in cycle["assessments"]]
    live = [one for one in assessments if one["status"] in ("completed", "rolled_back")]
    return {
        "wall_s": time.perf_counter() - began,
        "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "cycle_s": told["cycles"][0]["finished_at"] - told["cycles"][0]["started_at"],
        "own": [one for one in live if one["opportunity_id"] != PLANTED],
        "planted": next(one for one in live if one["opportunity_id"] == PLANTED),
        "opportunities": len(told["cycles"][0]["opportunities"]),
        "load": told["load"],
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=1)
    args = parser.parse_args()
    print("| opportunities | fixes kept | p95 ms, its fall | planted: taken back in s | requests, failed | s | CPU |")
    print("|---|---|---|---|---|---|---|")
    bad = 0
    for _ in range(args.times):
        with tempfile.TemporaryDirectory() as home:
            run = once(Path(home))
        kept = [one for one in run["own"] if one["status"] == "completed"]
        falls = "; ".join(
            f"{1000 * one['baseline']['p95_s']:.0f} → {1000 * one['final']['p95_s']:.0f}, "
            f"{one['latency_reduction_percent']:.0f} % [{one['latency_reduction_low_percent'] or 0:.0f}, "
            f"{one['latency_reduction_high_percent'] or 0:.0f}]"
            for one in kept
            if one["baseline"] and one["final"] and one["latency_reduction_percent"] is not None
        )
        planted = run["planted"]
        caught = f"{planted['rollback_seconds']:.2f}" if planted["status"] == "rolled_back" else "KEPT"
        load = run["load"]
        print(
            f"| {run['opportunities']} | {len(kept)} of {len(run['own'])} | {falls} | {caught} | "
            f"{load['requests']}, {load['failed']} | {run['wall_s']:.0f} | {run['cpu_s']:.0f} |",
            flush=True,
        )
        bad += load["failed"] > 0 or caught == "KEPT"
    print(f"\nload average {os.getloadavg()[0]:.1f} at the end")
    if bad:
        raise SystemExit(f"{bad} runs were not as they should be")


if __name__ == "__main__":
    main()
