"""How much faster the shipped code campaigns' packages can get: each edit made by hand alone, then all together.

    python -m benchmarks.code_campaigns.ceilings [log_analysis] [quadrature] [--rounds 7] [--seed 0]

Each edit is made in a copy.  Every round runs the package as it ships and all candidates once, in an order of its own.
The benchmark's clock is exchanged for the processor time of its process, which other load on the machine disturbs less.
`median` is the median over rounds of the package's seconds by the candidate's of the same round, `fastest` the ratio of
the shortest runs.  A candidate that fails the package's tests is named and not measured.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.code_campaigns import log_analysis, quadrature
from benchmarks.code_campaigns.edits import Edit, apply, copy_of

NONE = "as it ships"
PROCESSOR_TIME = """
import runpy, sys, time
time.perf_counter = time.process_time
sys.path.insert(0, "benchmark")
runpy.run_path("benchmark/bench.py", run_name="__main__")
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("campaigns", nargs="*", default=["log_analysis", "quadrature"])
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    for campaign in given.campaigns:
        print(f"{campaign}, seed {given.seed}, {given.rounds} rounds", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            compare(campaign, candidates(campaign), Path(folder), given.rounds, given.seed)


def candidates(campaign: str) -> dict[str, Sequence[Edit]]:
    """By name the edits of each candidate."""
    if campaign == "log_analysis":
        known = {edit.name: edit for edit in log_analysis.SOUND}
        every = (*log_analysis.SOUND, *log_analysis.IDLE)
        alone = {" with ".join([edit.name, *edit.needs]): edit_with_needs(edit, known) for edit in every}
        return {**alone, "all but the last five": log_analysis.SOUND, "all": every}
    sound = quadrature.SOUND
    return {
        **{edit.name: (edit,) for edit in sound},
        "all edits": sound,
        f"{sound[0].name}, constants for the mended code": (sound[0], quadrature.TUNED),
        quadrature.TUNED_AS_IT_SHIPS.name: (quadrature.TUNED_AS_IT_SHIPS,),
        f"{quadrature.TUNED_AS_IT_SHIPS.name}, all edits": (*sound, quadrature.TUNED_AS_IT_SHIPS),
        quadrature.TUNED.name: (quadrature.TUNED,),
        f"{quadrature.TUNED.name}, all edits": (*sound, quadrature.TUNED),
    }


def edit_with_needs(edit: Edit, known: Mapping[str, Edit]) -> tuple[Edit, ...]:
    return (*(known[name] for name in edit.needs), edit)


def compare(campaign: str, named: Mapping[str, Sequence[Edit]], folder: Path, rounds: int, seed: int) -> None:
    """Measure all candidates and print a table of Markdown."""
    copies = {NONE: copy_of(campaign, folder / "shipped")}
    for i, (name, edits) in enumerate(named.items()):
        copy = copy_of(campaign, folder / str(i))
        apply(edits, copy)
        if passes(copy):
            copies[name] = copy
        else:
            print(f"{name}: fails the tests", flush=True)
    seconds: dict[str, list[float]] = {name: [] for name in copies}
    chance = random.Random(seed)
    for _ in range(rounds):
        for name in chance.sample(list(copies), len(copies)):
            seconds[name].append(measured(copies[name], seed))
    print("| edit | shortest s | times faster: median | fastest |\n|---|---|---|---|")
    for name, own in seconds.items():
        ratios = [base / one for base, one in zip(seconds[NONE], own, strict=True)]
        fastest = min(seconds[NONE]) / min(own)
        print(f"| {name} | {min(own):.3f} | {statistics.median(ratios):.2f} | {fastest:.2f} |")


def passes(copy: Path) -> bool:
    """Whether the package's own tests pass."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "tests"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True).returncode == 0


def measured(copy: Path, seed: int) -> float:
    """Processor seconds of one run of the benchmark."""
    done = subprocess.run(
        [sys.executable, "-c", PROCESSOR_TIME, "--seed", str(seed)],
        cwd=copy,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(json.loads(done.stdout)["seconds"])


if __name__ == "__main__":
    main()
