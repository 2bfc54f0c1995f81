"""How often a watch rolls back on noise, how often it misses a degradation, and how long it takes to see one.

    OMP_NUM_THREADS=1 python benchmarks/deployment_watch.py [--each 200] [--history-h 72] [--only '20 %']

Every deployment is simulated: a history of `--history-h` hours of windows of 60 s, then a watch of
60 windows, judged after each one as in the program.  Of the service:

    requests      about 4,000 a minute: half that at night, half more by day, a course that is no sine; Poisson, with an
                  autocorrelated level of its own (sd 4 %, φ 0.9 a minute)
    latency       lognormal, σ 0.6, and a heavy tail (2 % of the requests, Pareto with α 2.5); its level follows the
                  load (± 8 %), drifts (sd 3 %, φ 0.9), differs from day to day (sd 2 %); one window in 200 is 1.3 to 3
                  times as slow
    errors        2 % of the requests, with an autocorrelated level (sd 5 %, φ 0.8)

The deployment falls at a random time of the day.  Degradations: every latency × 1.1 or 1.2, the error rate × 1.1 or
1.2, the requests × 0.9 or 0.8.  For comparison, the formula without statistics: rolled back at the first window whose
degradation against the hour before is above 0.10.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.watch import ServiceReading, WatchRules
from search.degradation import degradation, service_level
from search.deployment_watch import DeploymentWatch

Array = np.ndarray
SECONDS = 60.0
DAY = 86_400.0
SAMPLED = 600


@dataclass(frozen=True)
class Change:
    """What the new version does to the service, as factors."""

    latency: float = 1.0
    errors: float = 1.0
    requests: float = 1.0


CHANGES = {
    "nothing": Change(),
    "latency + 10 %": Change(latency=1.1),
    "latency + 20 %": Change(latency=1.2),
    "errors + 10 %": Change(errors=1.1),
    "errors + 20 %": Change(errors=1.2),
    "throughput − 10 %": Change(requests=0.9),
    "throughput − 20 %": Change(requests=0.8),
}


def drift(rng: np.random.Generator, n: int, sd: float, phi: float) -> Array:
    """AR(1) with standard deviation `sd`."""
    shocks = rng.standard_normal(n) * sd * np.sqrt(1 - phi**2)
    shocks[0] /= np.sqrt(1 - phi**2)
    return lfilter([1.0], [1.0, -phi], shocks)


@cache
def latencies() -> Array:
    """A million latencies at level 1, sorted."""
    rng = np.random.default_rng(0)
    ms = np.exp(0.6 * rng.standard_normal(1_000_000))
    heavy = rng.random(len(ms)) < 0.02
    ms[heavy] *= 1 + rng.pareto(2.5, int(heavy.sum()))
    return np.sort(ms)


def order_statistic(rng: np.random.Generator, n: int, q: float) -> Array:
    """n times the q-quantile of `SAMPLED` latencies: the k-th of m uniform numbers is Beta(k, m + 1 − k)."""
    k = int(q * SAMPLED) + 1
    return latencies()[(rng.beta(k, SAMPLED + 1 - k, n) * len(latencies())).astype(int)]


def simulated(
    rng: np.random.Generator, change: Change, history: int, watched: int, per_minute: float = 4000.0
) -> list[ServiceReading]:
    """The windows of one deployment, which falls after the first `history` of them."""
    n = history + watched
    times = rng.uniform(0, 7 * DAY) + SECONDS * np.arange(1, n + 1)
    hour = times / DAY % 1 * 24
    course = 0.5 * np.exp(-(((hour - 14) / 5.5) ** 2)) + 0.2 * np.exp(-(((hour - 20) / 2) ** 2))  # two humps
    after = np.arange(n) >= history
    day = rng.standard_normal(int(n * SECONDS // DAY) + 2)[(times // DAY - times[0] // DAY).astype(int)]
    load = (0.5 + 2 * course) * np.exp(drift(rng, n, 0.04, 0.9) + 0.03 * day)
    load = load * np.where(after, change.requests, 1.0)
    asked = rng.poisson(per_minute * load * 0.9)
    spikes = np.where(rng.random(n) < 0.005, rng.uniform(1.3, 3.0, n), 1.0)
    level = np.exp(0.3 * (course - 0.25) + drift(rng, n, 0.03, 0.9) + 0.02 * day) * spikes
    level = level * np.where(after, change.latency, 1.0)
    rate = np.minimum(1.0, 0.02 * np.exp(drift(rng, n, 0.05, 0.8)) * np.where(after, change.errors, 1.0))
    errors = rng.binomial(asked, rate)
    p50, p95, p99 = (80.0 * level * order_statistic(rng, n, q) for q in (0.5, 0.95, 0.99))
    return [
        ServiceReading(
            at=float(times[i]), seconds=SECONDS, requests=int(asked[i]), errors=int(errors[i]),
            p50_ms=p50[i], p95_ms=p95[i], p99_ms=p99[i],
        )
        for i in range(n)
    ]  # fmt: skip


def watched(history: Sequence[ServiceReading], watch: Sequence[ServiceReading], rules: WatchRules) -> tuple[str, int]:
    """The answer, and the windows until then."""
    judge = DeploymentWatch(history, rules)
    for n in range(1, len(watch) + 1):
        verdict = judge.judge(watch[:n])
        if verdict.answer != "continue":
            return verdict.answer, n
    raise AssertionError("the watch has an end")


def plainly(history: Sequence[ServiceReading], watch: Sequence[ServiceReading], rules: WatchRules) -> bool:
    """Whether the formula alone, applied to each window, would have rolled back."""
    before = service_level(history[-60:])
    return any((degradation(before, service_level([window])).worst or 0) > rules.threshold for window in watch)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--each", type=int, default=200)
    parser.add_argument("--history-h", type=float, default=72.0)
    parser.add_argument("--per-minute", type=float, default=4000.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    rules = WatchRules()
    print(f"{options.each} deployments each, {options.history_h:g} h of history, {options.per_minute:g} a minute")
    print("| change | rolled back | healthy | cannot tell | windows to roll back: median, 90 %, most | formula alone |")
    print("|---|---|---|---|---|---|")
    for row, (name, change) in enumerate(CHANGES.items()):
        if options.only and options.only not in name:
            continue
        answers: Counter[str] = Counter()
        delays, plain, began = [], 0, time.perf_counter()
        for number in range(options.each):
            rng = np.random.default_rng([options.seed, row, number])
            history = int(options.history_h * 60)
            readings = simulated(rng, change, history, rules.windows, options.per_minute)
            answer, n = watched(readings[:history], readings[history:], rules)
            answers[answer] += 1
            if answer == "degraded":
                delays.append(n)
            plain += plainly(readings[:history], readings[history:], rules)
        spent = (time.perf_counter() - began) / options.each
        told = "–"
        if delays:
            told = ", ".join(f"{x:.0f}" for x in (np.median(delays), np.quantile(delays, 0.9), max(delays)))
        share = {answer: f"{count}" for answer, count in answers.items()}
        print(
            f"| {name} | {share.get('degraded', 0)} | {share.get('healthy', 0)} | {share.get('cannot tell', 0)} "
            f"| {told} | {plain} |",
            f"  ({spent:.2f} s each)", flush=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
