"""What is lost by not knowing which operator is best: the bandit against other ways to choose.

    OMP_NUM_THREADS=1 python benchmarks/operators.py [--runs 100] [--outcomes 300] [--in-flight 4] [--seed 1000]

Six simulated operators; each try gains with some probability, by a log-gain drawn around a typical size, else nothing.
Outcomes come back late, `--in-flight` at a time, in a mixed order.

    one good      succeeds three times as often as the rest
    close         12 % against 8 %
    rare          all succeed in 1 to 4 % of the tries
    large gains   one gains seldom but much, the others often but little
    small gains   as `one good`, with gains of half a per cent
    used up       the best one has nothing left to find after 80 tries of its own, then the next best
    switching     another one is good in each third

Regret: the expected log-gain of always taking the operator that is best at that moment, minus that of what was chosen,
as a share of what choosing uniformly loses: 0 is perfect, 1 no better than uniform.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from search.bandit import FULL, Bandit

Rng = np.random.Generator
NAMES = tuple("abcdef")
Odds = list[tuple[float, float]]
"""Of each operator: the probability of a gain, and its typical log-gain."""


class Chooser(Protocol):
    def ask(self, rng: Rng, in_flight: list[str], /) -> str: ...

    def tell(self, operator: str, gain: float, /) -> None: ...


class Uniform:
    def ask(self, rng: Rng, _: list[str]) -> str:
        return str(rng.choice(NAMES))

    def tell(self, *_: object) -> None:
        pass


class Single:
    """Always the same one."""

    def __init__(self, name: str) -> None:
        self.name = name

    def ask(self, *_: object) -> str:
        return self.name

    def tell(self, *_: object) -> None:
        pass


class DiscountedUCB:
    """Garivier & Moulines 2011: reward min(gain / log 2, 1), γ = 0.99, ξ = 0.005; in flight counts as told."""

    def __init__(self) -> None:
        self.n, self.won = np.zeros(6), np.zeros(6)

    def ask(self, _: Rng, in_flight: list[str]) -> str:
        waiting = Counter(in_flight)
        n = self.n + [waiting[name] for name in NAMES]
        if (n < 0.5).any():
            return NAMES[int(np.argmin(n))]
        width = 2 * np.sqrt(0.005 * np.log(max(n.sum(), 2.0)) / n)
        return NAMES[int(np.argmax(self.won / np.maximum(self.n, 1e-9) + width))]

    def tell(self, operator: str, gain: float) -> None:
        self.n, self.won = 0.99 * self.n, 0.99 * self.won
        self.n[NAMES.index(operator)] += 1
        self.won[NAMES.index(operator)] += min(gain / FULL, 1.0)


def one_good(t: int, used: Counter[str]) -> Odds:
    return [(0.3, 0.1)] + [(0.1, 0.1)] * 5


def close(t: int, used: Counter[str]) -> Odds:
    return [(0.12, 0.1)] * 1 + [(0.08, 0.1)] * 5


def rare(t: int, used: Counter[str]) -> Odds:
    return [(0.04, 0.1), (0.02, 0.1)] + [(0.01, 0.1)] * 4


def large_gains(t: int, used: Counter[str]) -> Odds:
    return [(0.12, 0.5)] + [(0.4, 0.02)] * 5


def small_gains(t: int, used: Counter[str]) -> Odds:
    return [(0.3, 0.005)] + [(0.1, 0.005)] * 5


def used_up(t: int, used: Counter[str]) -> Odds:
    return [
        (0.35 if used["a"] < 80 else 0.0, 0.1),
        (0.25 if used["b"] < 80 else 0.0, 0.1),
        (0.15, 0.1),
        *[(0.05, 0.1)] * 3,
    ]


def switching(t: int, used: Counter[str]) -> Odds:
    return [(0.3 if t * 3 // 300 % 6 == k else 0.06, 0.1) for k in range(6)]


WORLDS: tuple[Callable[[int, Counter[str]], Odds], ...] = (
    one_good, close, rare, large_gains, small_gains, used_up, switching,
)  # fmt: skip
WIDTH = 0.5
"""The standard deviation of the logarithm of a gain."""


def worth(odds: Odds) -> np.ndarray:
    """The expected log-gain of a try of each."""
    return np.array([p * size * np.exp(WIDTH**2 / 2) for p, size in odds])


def regret(world: Callable[[int, Counter[str]], Odds], chooser: Chooser, seed: int, outcomes: int, late: int) -> float:
    """The expected log-gain missed."""
    rng, luck = np.random.default_rng([seed, 1]), np.random.default_rng([seed, 2])
    waiting: list[tuple[str, float]] = []
    used: Counter[str] = Counter()
    missed = 0.0
    for t in range(outcomes):
        while len(waiting) >= late:
            chooser.tell(*waiting.pop(int(luck.integers(len(waiting)))))
        name = chooser.ask(rng, [n for n, _ in waiting])
        odds = world(t, used)
        expected = worth(odds)
        missed += expected.max() - expected[NAMES.index(name)]
        p, size = odds[NAMES.index(name)]
        gained, much = luck.random() < p, size * np.exp(WIDTH * luck.standard_normal())
        waiting.append((name, float(much) if gained else 0.0))
        used[name] += 1
    return missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--outcomes", type=int, default=300)
    parser.add_argument("--in-flight", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1000, help="of the first run; 0 to 29 were tuned on")
    a = parser.parse_args()

    choosers: dict[str, Callable[[], Chooser]] = {
        "uniform": Uniform,
        "bandit": lambda: Bandit(NAMES),
        "without forgetting": lambda: Bandit(NAMES, discount=1.0),
        "discounted UCB": DiscountedUCB,
    }
    print(
        "| operators | "
        + " | ".join(list(choosers)[1:])
        + " | best single one, known before | bandit, 90 % over runs |"
    )
    print("|---|" + "---|" * (len(choosers) + 1))
    for world in WORLDS:
        runs = range(a.seed, a.seed + a.runs)
        missed = {
            name: np.array([regret(world, make(), seed, a.outcomes, a.in_flight) for seed in runs])
            for name, make in choosers.items()
        }
        lost = missed["uniform"].mean()
        shares = {name: missed[name] / lost for name in choosers if name != "uniform"}
        single = (
            min(np.mean([regret(world, Single(n), s, a.outcomes, a.in_flight) for s in runs]) for n in NAMES) / lost
        )
        cells = [f"{s.mean():.2f}" for s in shares.values()]
        low, high = np.quantile(shares["bandit"], [0.05, 0.95])
        name = world.__name__.replace("_", " ")
        print(f"| {name} | {' | '.join(cells)} | {single:.2f} | {low:.2f} … {high:.2f} |", flush=True)


if __name__ == "__main__":
    main()
