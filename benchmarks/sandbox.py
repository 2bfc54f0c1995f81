"""What the sandbox costs: to find the level, and to run a command that does nothing.

    python benchmarks/sandbox.py [--runs 30]

The figures are of whole runs, from the call to the result: the start of a warden, of the isolation and of the command,
its end, and the end of all that it left.  The bare interpreter, started without any of it, is the comparison; the
processor time of this process and of all that it waited for does not depend on who else uses the machine.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from core.errors import SandboxError
from runtime.sandbox import Isolation, Level, assess, find_isolation, run

NOTHING = [sys.executable, "-I", "-S", "-c", ""]
LEVELS: tuple[Level, ...] = (3, 2, 1)


def processor_s() -> float:
    return sum(sum(resource.getrusage(whose)[:2]) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def timed_ms(action: Callable[[], object]) -> tuple[float, float]:
    """(on the wall's clock, of processors)"""
    began, used = time.perf_counter(), processor_s()
    action()
    return 1000 * (time.perf_counter() - began), 1000 * (processor_s() - used)


def bare() -> None:
    subprocess.run(NOTHING, check=True)


def isolated(isolation: Isolation) -> None:
    result = run(NOTHING, isolation=isolation, trusted=True)
    if result.exit_code != 0:
        raise SystemExit(f"the command failed: {result.reason}")


def main(runs: int) -> None:
    print(f"{runs} runs each, in turn, milliseconds{'p50':>13}{'p95':>8}{'max':>8}{'processor p50':>16}")
    actions: dict[str, Callable[[], object]] = {"bare interpreter": bare}
    for level in LEVELS:
        try:
            isolation = assess(level)
        except SandboxError as error:
            print(f"no isolation here at level {level}: {error.what}")
            continue
        actions[f"a command at level {level}"] = lambda isolation=isolation: isolated(isolation)
        actions[f"all attacks at level {level}"] = lambda level=level: assess(level)
    actions["finding the level"] = lambda: find_isolation(refresh=True)
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in actions}
    for _ in range(runs):
        for name, action in actions.items():
            figures[name].append(timed_ms(action))
    for name, values in figures.items():
        wall, used = zip(*values, strict=True)
        p95 = statistics.quantiles(wall, n=20, method="inclusive")[-1]
        row = f"{name:<36}{statistics.median(wall):>12.1f}{p95:>8.1f}{max(wall):>8.1f}"
        print(f"{row}{statistics.median(used):>16.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=30)
    main(parser.parse_args().runs)
