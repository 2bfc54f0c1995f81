"""How long 795 integrals take at a fixed accuracy.

    PYTHONPATH=FOLDER python benchmark/bench.py [--seed 0]

FOLDER holds the package `quadrature`; without it the one beside this folder is taken.  Prints one line of JSON:
`seconds` for all integrals and `error`, the largest absolute error.  Ends with code 1 and no such line if an error is
above ten times the tolerance.  The tests ask for the tolerance itself; the factor is for integrals they have not seen.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import sys
from pathlib import Path
from time import process_time

sys.path.append(str(Path(__file__).resolve().parents[1]))

import quadrature
from workload import Integral, draw

TOLERANCE = 1e-8
ALLOWED = 10 * TOLERANCE


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, default=0, help="another seed, other integrals")
    seed = arguments.parse_args().seed
    integrals = draw(seed)
    clock = process_time
    with contextlib.redirect_stdout(sys.stderr):
        values_of(draw(seed, short=20, long=2))
        gc.collect()
        start = clock()
        values = values_of(integrals)
        seconds = clock() - start
    errors = [abs(value - one.value) for value, one in zip(values, integrals, strict=True)]
    wrong = [error for error in errors if not error <= ALLOWED]
    if wrong:
        print(
            f"wrong result: {len(wrong)} of {len(errors)} integrals are off by more than {ALLOWED:g}", file=sys.stderr
        )
        return 1
    print(json.dumps({"seconds": seconds, "error": max(errors)}))
    return 0


def values_of(integrals: list[Integral]) -> list[float]:
    return [quadrature.integrate(one.function, one.low, one.high, TOLERANCE).value for one in integrals]


if __name__ == "__main__":
    sys.exit(main())
