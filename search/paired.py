"""Is it faster, or better?  Pairs measured side by side until the answer is clear, and no longer.

Notation: pair i gives x_i: of times, log(baseline_s / candidate_s), above 0 when the candidate is faster; of a metric,
candidate − baseline, higher is better.  s: the noise of one pair, from pairs of the baseline with itself.

The two of a pair run in an order that `order` tosses.  If both are the same, x_i and −x_i are then equally likely
whatever the machine does meanwhile (drift, bursts, a clock that switches, a period), which is all that
`search.symmetry` asks for: looking after every pair and stopping at will keeps the level.  A fixed order such as ABBA
would not: a disturbance of its period always hits the same one.

If they differ, the interval is one for the centre of x: it takes the noise of both to be alike, for times on a log
scale.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from search.symmetry import confidence_sequence, hodges_lehmann

__all__ = ["Answer", "MetricTest", "PairedAnswer", "SpeedTest", "metric_noise", "order", "time_noise"]

Answer = Literal["better", "worse", "same", "cannot tell", "continue"]
Pair = tuple[float, float]
"""(baseline, candidate)"""

LEAST_QUIET = 4
"""The pairs of the baseline with itself that a noise needs."""


@dataclass(frozen=True, slots=True)
class PairedAnswer:
    """What may be said after `pairs` pairs, and why.

    `estimate`, `low`, `high`: of times, how many times as fast the candidate is (1 the same, 2 twice as fast); of a
    metric, the difference.  The interval holds at every look at once, so also at the last.  `continue`: measure on.
    """

    answer: Answer
    estimate: float
    low: float
    high: float
    pairs: int
    level: float
    reason: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """When to stop.

    better, worse   the interval lies on one side of 0, and the estimate is at least `worth`
    same            the interval lies within ± the larger of `worth` and `noise`, and the estimate is less than `worth`:
                    no difference worth having, or none that a single pair would show over its noise (without a
                    `worth`, whatever the estimate)
    cannot tell     none of these after `most` pairs
    """

    noise: float
    worth: float
    level: float
    most: int

    def answer(self, low: float, middle: float, high: float, n: int) -> tuple[Answer, str]:
        margin = max(self.worth, self.noise)
        if low > 0 and middle >= self.worth:
            return "better", "the interval holds only gains"
        if high < 0 and -middle >= self.worth:
            return "worse", "the interval holds only losses"
        if -margin < low and high < margin and (abs(middle) < self.worth or self.worth == 0):
            if self.worth >= self.noise:
                return "same", "the whole interval is less than what is worth having"
            return "same", "the whole interval is within the noise of one pair"
        if n >= self.most:
            return "cannot tell", f"the interval is still too wide after {n} pairs"
        return "continue", "the interval is still too wide"


@dataclass(frozen=True, slots=True)
class SpeedTest:
    """How many times as fast is the candidate?

    `noise`: s, from `time_noise`.  `worth`: the smallest ratio that is worth having, at least 1.
    """

    noise: float
    worth: float = 1.01
    level: float = 0.95
    most: int = 60

    def __post_init__(self) -> None:
        """Raises ValueError."""
        _check(self.noise, self.worth - 1, self.level, self.most)

    def answer(self, pairs: Sequence[Pair]) -> PairedAnswer:
        """`pairs`: seconds of (baseline, candidate), in the order they were measured; all of them, every time.

        Raises ValueError for none, or a time that is not finite and above 0.
        """
        x = _log_ratios(pairs)
        low, high = confidence_sequence(x, self.noise, self.level)
        middle = hodges_lehmann(x)
        rule = _Rule(self.noise, math.log(self.worth), self.level, self.most)
        answer, reason = rule.answer(low, middle, high, len(x))
        return PairedAnswer(answer, math.exp(middle), math.exp(low), math.exp(high), len(x), self.level, reason)


@dataclass(frozen=True, slots=True)
class MetricTest:
    """How much better is the candidate by a metric, higher is better?

    `noise`: s, from `metric_noise`.  With 0 the metric is taken to be deterministic as long as all differences are
    equal, and one pair tells.  `worth` ≥ 0: the smallest difference that is worth having.
    """

    noise: float
    worth: float = 0.0
    level: float = 0.95
    most: int = 60

    def __post_init__(self) -> None:
        """Raises ValueError."""
        _check(self.noise, self.worth, self.level, self.most)

    def answer(self, pairs: Sequence[Pair]) -> PairedAnswer:
        """`pairs`: values of (baseline, candidate), each pair on the same seed; all of them, every time.

        Raises ValueError for none, or a value that is not finite.
        """
        x = _differences(pairs)
        if self.noise == 0 and min(x) == max(x):
            answer: Answer = "same" if abs(x[0]) < self.worth or x[0] == 0 else "better" if x[0] > 0 else "worse"
            return PairedAnswer(answer, x[0], x[0], x[0], len(x), self.level, "repeats do not differ: one pair tells")
        low, high = confidence_sequence(x, self.noise, self.level)
        middle = hodges_lehmann(x)
        answer, reason = _Rule(self.noise, self.worth, self.level, self.most).answer(low, middle, high, len(x))
        return PairedAnswer(answer, middle, low, high, len(x), self.level, reason)


def order(pair: int, seed: int) -> tuple[Literal["baseline", "candidate"], Literal["baseline", "candidate"]]:
    """Who runs first in pair number `pair`: a fair coin, the same for the same seed."""
    heads = hashlib.sha256(f"{seed}:{pair}".encode()).digest()[0] & 1
    return ("baseline", "candidate") if heads else ("candidate", "baseline")


def time_noise(pairs: Sequence[Pair]) -> float:
    """s of log-ratios, from pairs of the baseline with itself: 1.4826 × the median of |x|, which a burst leaves alone.

    Raises ValueError for fewer than four pairs, or a time that is not finite and above 0.
    """
    return _noise(_log_ratios(pairs))


def metric_noise(pairs: Sequence[Pair]) -> float:
    """s of differences, likewise.  Raises ValueError for fewer than four pairs or a value that is not finite."""
    return _noise(_differences(pairs))


def _noise(x: Sequence[float]) -> float:
    """0 only when no two of a pair differ: where most pairs do not, the mean of |x| stands in for the median."""
    if len(x) < LEAST_QUIET:
        raise ValueError(f"the noise needs at least {LEAST_QUIET} pairs of the baseline with itself, not {len(x)}")
    size = np.abs(x)
    return 1.4826 * float(np.median(size) or size.mean())


def _log_ratios(pairs: Sequence[Pair]) -> list[float]:
    if not pairs:
        raise ValueError("there is no pair")
    for pair in pairs:
        if not all(0 < seconds < math.inf for seconds in pair):
            raise ValueError(f"a pair took {pair} seconds; leave out crashed ones and say so")
    return [math.log(baseline) - math.log(candidate) for baseline, candidate in pairs]


def _differences(pairs: Sequence[Pair]) -> list[float]:
    x = [candidate - baseline for baseline, candidate in pairs]
    if not x:
        raise ValueError("there is no pair")
    if not all(map(math.isfinite, x)):
        raise ValueError("a value is not finite; leave crashed pairs out and say so")
    return x


def _check(noise: float, worth: float, level: float, most: int) -> None:
    if not (0 <= noise < math.inf and 0 <= worth < math.inf and 0 < level < 1 and most >= 1):
        raise ValueError(f"noise {noise}, worth {worth}, level {level}, most {most}: one of them cannot be")
