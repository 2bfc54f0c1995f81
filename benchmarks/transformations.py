"""What each code transformation gains on its own sample: CPU time before over CPU time after.

    python benchmarks/transformations.py [--rounds 9] [--names join,counter]

The samples are those of the tests (`tests/data/transformations`), before and after all sites are applied; each gives
its own large input. Both versions run in this process, in turns with the order reversed every other round, so that
drift hits both; the garbage collector rests while the clock runs. Every round starts from freshly loaded modules, so
that a cache filled in one round does not serve the next. Prints the median of the rounds' ratios and their range; a
ratio below 1 means the transformation made its sample slower.
"""

from __future__ import annotations

import argparse
import copy
import gc
import statistics
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from agents.code.transformations.registry import transformations  # noqa: E402

SAMPLES = ROOT / "tests" / "data" / "transformations"


def load(name: str, which: str) -> dict[str, Any]:
    path = SAMPLES / name / f"{which}.py"
    names: dict[str, Any] = {"__file__": str(path), "__name__": f"{name}_{which}"}
    exec(compile(path.read_text(), str(path), "exec", dont_inherit=True), names)
    return names


def seconds(name: str, which: str) -> float:
    """CPU time of one run on the sample's own input."""
    module = load(name, which)
    arguments = copy.deepcopy(module["example"]())
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        module["run"](*arguments)
        return time.process_time() - start
    finally:
        gc.enable()


def ratios(name: str, rounds: int) -> tuple[list[float], float]:
    """Before over after of each round, and the median time before in milliseconds."""
    found, times = [], []
    for n in range(rounds):
        order = ("before", "after") if n % 2 == 0 else ("after", "before")
        took = {which: seconds(name, which) for which in order}
        found.append(took["before"] / took["after"])
        times.append(1e3 * took["before"])
    return found, statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--names", default="")
    options = parser.parse_args()
    names = [name for name in options.names.split(",") if name] or list(transformations())
    print(f"{'transformation':18} {'before ms':>10} {'ratio':>8}   range over {options.rounds} rounds")
    for name in names:
        found, before = ratios(name, options.rounds)
        print(
            f"{name:18} {before:10.2f} {statistics.median(found):8.2f}   {min(found):.2f} .. {max(found):.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
