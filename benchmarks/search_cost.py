"""CPU time of one suggestion (world model fitted from nothing, then one configuration) against the trials before it.

    OMP_NUM_THREADS=1 python benchmarks/search_cost.py [--repeats 5] [--optuna]

A six-parameter mixed space and an eight-parameter numeric one; a tenth of the trials crashed.  Prints one row a space:
the median of the repeats in CPU milliseconds, and the growth from 30 to 1,000 trials.  `--optuna` adds Optuna's
GPSampler on the numeric space, where Optuna is installed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from search.space import Choice, Float, Int, Space
from search.suggest import suggest
from search.trials import Trial

MIXED = Space.model_validate(
    {
        "lr": Float(1e-5, 1.0, log=True),
        "dropout": Float(0.0, 1.0),
        "shift": Float(-5.0, 5.0),
        "decay": Float(1e-3, 1e3, log=True),
        "layers": Int(1, 64, log=True),
        "kind": Choice("u", "v", "w"),
    }
)
NUMERIC = Space.model_validate({f"x{i}": Float(0.0, 1.0) for i in range(8)})
SIZES = (10, 30, 50, 200, 1000)


def history(space: Space, n: int, rng: np.random.Generator) -> list[Trial]:
    """`n` random trials of a noisy bowl, every tenth of them crashed."""
    out = []
    for i in range(n):
        config = space.sample(rng)
        value = -float(np.sum((space.encode(config) - 0.37) ** 2)) + 0.02 * float(rng.standard_normal())
        out.append(Trial(str(i), config, None if i % 10 == 9 else value, i))
    return out


def cpu_ms(space: Space, n: int, repeats: int) -> float:
    """Median CPU milliseconds of one suggestion after `n` trials."""
    times = []
    for seed in range(repeats):
        trials = history(space, n, np.random.default_rng(seed))
        start = time.process_time()
        suggest(space, trials, 1, seed=seed)
        times.append(1e3 * (time.process_time() - start))
    return statistics.median(times)


def optuna_cpu_ms(n: int, repeats: int) -> float:
    """The same for Optuna's GPSampler on the numeric space."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    ranges: dict[str, optuna.distributions.BaseDistribution] = {
        name: optuna.distributions.FloatDistribution(0.0, 1.0) for name in NUMERIC
    }
    times = []
    for seed in range(repeats):
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.GPSampler(seed=seed))
        for trial in history(NUMERIC, n, np.random.default_rng(seed)):
            if trial.value is not None:
                study.add_trial(
                    optuna.trial.create_trial(params=dict(trial.config), distributions=ranges, value=trial.value)
                )
        start = time.process_time()
        study.ask(ranges)
        times.append(1e3 * (time.process_time() - start))
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--optuna", action="store_true")
    arguments = parser.parse_args()
    repeats = arguments.repeats
    cpu_ms(MIXED, 20, 1)  # the first call pays for imports
    print("| space | " + " | ".join(f"{n} trials" for n in SIZES) + " | 30 → 1000 |")
    print("|---|" + "---|" * (len(SIZES) + 1))
    rows = {
        "mixed, 6 parameters": [cpu_ms(MIXED, n, repeats) for n in SIZES],
        "numeric, 8 parameters": [cpu_ms(NUMERIC, n, repeats) for n in SIZES],
    }
    if arguments.optuna:
        optuna_cpu_ms(20, 1)
        rows["numeric, 8 parameters, Optuna GPSampler"] = [optuna_cpu_ms(n, repeats) for n in SIZES]
    for label, row in rows.items():
        cells = " | ".join(f"{ms:.0f} ms" for ms in row)
        print(f"| {label} | {cells} | × {row[SIZES.index(1000)] / row[SIZES.index(30)]:.1f} |")


if __name__ == "__main__":
    main()
