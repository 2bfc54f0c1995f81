"""Wall-clock of the research cycle by its public calls: to decide, to integrate three results, and what a whole cycle
adds to its jobs.

    python benchmarks/research_cycle.py [--cycles 10]

One orchestrator in a folder of its own, recall and embeddings in use.  A job sleeps a stated time, so that a cycle of
three jobs, three at once, could take no less than that.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from core.campaign import Campaign
from graph.orchestrator import MultiAgentOrchestrator

JOB_S = 1.0
TRAIN = """
import json, sys, time
began = time.monotonic()
config = json.load(open(sys.argv[1]))
time.sleep({job_s} - (time.monotonic() - began))
print(json.dumps({{"score": -(config["x"] - 0.3) ** 2 - (config["y"] - 0.6) ** 2}}))
"""
REFERENCE_MS = {"decide": 800.0, "integrate three results": 55.0, "a whole cycle, its jobs taken off": 1000.0}


def campaign_in(folder: Path) -> Campaign:
    (folder / "train.py").write_text(TRAIN.format(job_s=JOB_S))
    space = {name: {"type": "float", "low": 0.0, "high": 1.0} for name in ("x", "y", "z")}
    return Campaign.model_validate(
        {
            "name": "cycle",
            "command": ["{python}", "-I", "-S", "{here}/train.py", "{config}"],
            "objective": {"metric": "score"},
            "space": {**space, "kind": {"type": "choice", "options": ["a", "b", "c"]}},
            "baseline": {"x": 0.5, "y": 0.5, "z": 0.5, "kind": "a"},
            "limits": {"parallel": 3},
            "noise": {"repeats": 3, "confirmations": 0},  # a repeat is a job too, and no part of every cycle
            "here": str(folder),
        }
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--cycles", type=int, default=10)
    cycles = arguments.parse_args().cycles
    times: dict[str, list[float]] = {name: [] for name in REFERENCE_MS}
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        with MultiAgentOrchestrator(campaign_in(folder), home=folder / "state") as orchestrator:
            orchestrator.run_autonomous_cycle(1)  # baseline, recall and model are opened here
            for cycle in range(2, cycles + 2):
                decided = time.monotonic()
                orchestrator.run_research_cycle(cycle)
                carried_out = time.monotonic()
                answer = orchestrator.run_autonomous_cycle(cycle)
                ended = time.monotonic()
                orchestrator.collect_and_integrate_results(list(answer["training_completion"]["jobs"]), cycle)
                integrated = time.monotonic()
                spent = (carried_out - decided, integrated - ended, ended - decided - JOB_S)
                for name, seconds in zip(times, spent, strict=True):
                    times[name].append(1000 * seconds)
    print(f"{cycles} cycles, milliseconds; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'':<36}{'reference':>10}{'p50':>8}{'max':>8}")
    for name, reference in REFERENCE_MS.items():
        print(f"{name:<36}{reference:>10.0f}{statistics.median(times[name]):>8.0f}{max(times[name]):>8.0f}")


if __name__ == "__main__":
    main()
