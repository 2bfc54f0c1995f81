"""How often the paired test is wrong when nothing differs, and how many pairs it takes when something does.

    OMP_NUM_THREADS=1 python benchmarks/paired.py [--same 400] [--different 100] [--most 60]

Simulated timings, in the order the runs happen, 2 % noise (so 2.8 % a pair) and:

    lognormal    nothing else
    warming up   the first runs take up to twice as long
    drift        30 % slower by the end, and a wave
    bursts       8 % of the runs take on average twice as long
    two clocks   the frequency switches between 1 and 1.25 at a tenth of the runs
    thrown       every run draws one of the two clocks
    all          drift, bursts and two clocks together
    period 4     10 % slower in two runs of four, in step with ABBA

Each run measures eight pairs of the baseline with itself for the noise, then looks after every pair, at level 0.95.
Beside it, on the same pairs: the usual t-interval of the log-ratios, at a fixed number of pairs and looked at after
every pair from the third on.  Last, the paired test when the order is a fixed ABBA instead of a coin.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import stdtrit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from search.paired import SpeedTest, order, time_noise

Array = np.ndarray
Pairs = list[tuple[float, float]]
SPEED_UPS = (1.02, 1.05, 1.2, 2.0)
FIXED = 12
QUIET = 8


def lognormal(rng: np.random.Generator, n: int) -> Array:
    return np.exp(0.02 * rng.standard_normal(n))


def warming(rng: np.random.Generator, n: int) -> Array:
    return 1 + np.exp(-np.arange(n) / 20)


def drift(rng: np.random.Generator, n: int) -> Array:
    t = np.arange(n)
    return (1 + 0.3 * t / n) * (1 + 0.05 * np.sin(t / 9 + 6 * rng.random()))


def bursts(rng: np.random.Generator, n: int) -> Array:
    return np.where(rng.random(n) < 0.08, 1 + rng.exponential(1.0, n), 1.0)


def clocks(rng: np.random.Generator, n: int) -> Array:
    return np.where((np.cumsum(rng.random(n) < 0.1) + rng.integers(2)) % 2, 1.25, 1.0)


def thrown(rng: np.random.Generator, n: int) -> Array:
    return np.where(rng.random(n) < 0.5, 1.25, 1.0)


def period(rng: np.random.Generator, n: int) -> Array:
    return np.where((np.arange(n) + 1) // 2 % 2, 1.1, 1.0)


NOISES: dict[str, tuple[Callable[[np.random.Generator, int], Array], ...]] = {
    "lognormal": (),
    "warming up": (warming,),
    "drift": (drift,),
    "bursts": (bursts,),
    "two clocks": (clocks,),
    "thrown": (thrown,),
    "all": (drift, bursts, clocks),
    "period 4": (period,),
}


def abba(pair: int, seed: int) -> tuple[str, str]:
    return ("candidate", "baseline") if pair % 2 else ("baseline", "candidate")


def measure(noise: str, rng: np.random.Generator, n: int, speed_up: float, seed: int, ordered: Callable) -> Pairs:
    factors = lognormal(rng, 2 * n)
    for part in NOISES[noise]:
        factors = factors * part(rng, 2 * n)
    pairs = []
    for i in range(n):
        took = {name: float(factors[2 * i + at]) for at, name in enumerate(ordered(i, seed))}
        pairs.append((took["baseline"], took["candidate"] / speed_up))
    return pairs


@dataclass
class Told:
    """Over the runs: the answers, the pairs until each, how often the interval held the truth; and the t-interval."""

    answers: Counter[str]
    pairs: list[int]
    held: int
    fixed: int
    peeking: int

    def share(self, *answers: str) -> float:
        return sum(self.answers[a] for a in answers) / len(self.pairs)


def t_excludes_same(x: Array) -> bool:
    """Whether the 95 % t-interval of the mean log-ratio leaves out 0."""
    n = len(x)
    return abs(float(x.mean())) > float(stdtrit(n - 1, 0.975)) * float(x.std(ddof=1)) / math.sqrt(n)


def told(noise: str, speed_up: float, runs: int, most: int, ordered: Callable = order) -> Told:
    out = Told(Counter(), [], 0, 0, 0)
    for seed in range(runs):
        rng = np.random.default_rng([seed, round(1000 * speed_up)])
        test = SpeedTest(time_noise(measure(noise, rng, QUIET, 1.0, -1 - seed, ordered)), most=most)
        pairs = measure(noise, rng, most, speed_up, seed, ordered)
        for n in range(1, most + 1):
            answer = test.answer(pairs[:n])
            if answer.answer != "continue":
                break
        out.answers[answer.answer] += 1
        out.pairs.append(n)
        out.held += answer.low <= speed_up <= answer.high
        x = np.log([b / c for b, c in pairs])
        out.fixed += t_excludes_same(x[:FIXED])
        out.peeking += any(t_excludes_same(x[:k]) for k in range(3, most + 1))
    return out


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--same", type=int, default=400, help="runs a noise where nothing differs")
    parser.add_argument("--different", type=int, default=100, help="runs a noise and speed-up")
    parser.add_argument("--most", type=int, default=60, help="pairs after which a test gives up")
    a = parser.parse_args()

    print(f"nothing differs, {a.same} runs each: called better or worse; and otherwise\n")
    print("| noise | wrong | better | same | cannot tell | pairs | t, 12 pairs | t, every look | wrong, ABBA |")
    print("|---|" + "---|" * 8)
    for noise in NOISES:
        r, fixed = told(noise, 1.0, a.same, a.most), told(noise, 1.0, a.same, a.most, abba)
        cells = [
            percent(r.share(*answer)) for answer in (("better", "worse"), ("better",), ("same",), ("cannot tell",))
        ]
        cells += [f"{np.mean(r.pairs):.0f}", percent(r.fixed / a.same), percent(r.peeking / a.same)]
        print(f"| {noise} | {' | '.join(cells)} | {percent(fixed.share('better', 'worse'))} |", flush=True)

    print(
        f"\na speed-up, {a.different} runs each: found, in how many pairs on average; the t-interval of {FIXED} pairs\n"
    )
    print("| noise | " + " | ".join(f"× {s:g} | t" for s in SPEED_UPS) + " | interval holds it |")
    print("|---|" + "---|---|" * len(SPEED_UPS) + "---|")
    for noise in NOISES:
        cells, held = [], 0
        for speed_up in SPEED_UPS:
            r = told(noise, speed_up, a.different, a.most)
            cells += [
                f"{100 * r.share('better'):.0f} %, {np.mean(r.pairs):.1f}",
                f"{100 * r.fixed / a.different:.0f} %",
            ]
            held += r.held
        print(f"| {noise} | {' | '.join(cells)} | {percent(held / a.different / len(SPEED_UPS))} |", flush=True)


if __name__ == "__main__":
    main()
