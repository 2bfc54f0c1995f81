"""Is it better, or is it noise?  Paired differences with intervals; the noise floor from repeats.

Notation: d_i = b_i - a_i over n pairs (the same seed, fold or question), higher is better; d̄ mean, s standard
deviation; t the quantile of Student's distribution with n-1 degrees of freedom.

    t-interval    d̄ ± t s/√n                                  Student (1908)
    bootstrap     percentiles of means of resampled d           Efron & Tibshirani (1993), §13.3
    noise floor   √(Σ (n_k - 1) s_k² / Σ (n_k - 1))             pooled over groups of repeats
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

__all__ = [
    "PairedDifference",
    "noise_floor",
    "paired_bootstrap",
    "paired_difference",
    "pooled_difference",
    "standard_error",
]

Verdict = Literal["better", "worse", "cannot tell"]


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The mean difference, its interval, the number of pairs, and what may be said."""

    mean: float
    low: float
    high: float
    n: int
    verdict: Verdict


def paired_difference(
    before: Sequence[float], after: Sequence[float], *, confidence: float = 0.95, margin: float = 0.0
) -> PairedDifference:
    """`after - before` with a t-interval.

    `better` only if the interval lies above `margin`, `worse` only if below -`margin`, else `cannot tell`.  One pair
    gives an infinite interval.  Raises ValueError for no pairs, unequal lengths or values that are not finite.
    """
    d = _differences(before, after, confidence)
    mean, n = float(d.mean()), len(d)
    if n < 2:
        return PairedDifference(mean, -math.inf, math.inf, n, "cannot tell")
    half = float(stdtrit(n - 1, 0.5 + confidence / 2)) * float(d.std(ddof=1)) / math.sqrt(n)
    return PairedDifference(mean, mean - half, mean + half, n, _verdict(mean - half, mean + half, margin))


def paired_bootstrap(
    before: Sequence[float],
    after: Sequence[float],
    rng: np.random.Generator,
    *,
    confidence: float = 0.95,
    margin: float = 0.0,
    draws: int = 4000,
) -> PairedDifference:
    """`after - before` with a bootstrap interval, for differences that are not normal.  Contract as above."""
    d = _differences(before, after, confidence)
    mean, n = float(d.mean()), len(d)
    if n < 2:
        return PairedDifference(mean, -math.inf, math.inf, n, "cannot tell")
    means = d[rng.integers(n, size=(draws, n))].mean(axis=1)
    low, high = (float(q) for q in np.quantile(means, [0.5 - confidence / 2, 0.5 + confidence / 2]))
    return PairedDifference(mean, low, high, n, _verdict(low, high, margin))


def pooled_difference(
    before: Sequence[float],
    after: Sequence[float],
    *,
    noise_sd: float,
    freedom: int,
    confidence: float = 0.9,
    margin: float = 0.0,
) -> PairedDifference:
    """`after - before` for few pairs, where the noise of one run is known from `freedom` degrees of freedom.

    The variance of a difference is pooled: (freedom · 2 noise_sd² + Σ (d - d̄)²) / (freedom + n - 1).  Contract as
    above; without any degree of freedom the interval is infinite.
    """
    d = _differences(before, after, confidence)
    mean, n = float(d.mean()), len(d)
    degrees = freedom + n - 1
    if degrees < 1:
        return PairedDifference(mean, -math.inf, math.inf, n, "cannot tell")
    variance = (freedom * 2 * noise_sd**2 + float(np.sum((d - mean) ** 2))) / degrees
    half = float(stdtrit(degrees, 0.5 + confidence / 2)) * math.sqrt(variance / n)
    return PairedDifference(mean, mean - half, mean + half, n, _verdict(mean - half, mean + half, margin))


def noise_floor(groups: Iterable[Sequence[float]]) -> float | None:
    """The pooled standard deviation of repeats of the same thing; None if nothing was repeated."""
    squares, freedom = 0.0, 0
    for group in groups:
        if len(group) > 1:
            squares += float(np.sum((np.asarray(group, dtype=float) - np.mean(group)) ** 2))
            freedom += len(group) - 1
    return math.sqrt(squares / freedom) if freedom else None


def standard_error(repeats: Sequence[float]) -> float | None:
    """The standard error of the mean of repeats; None for fewer than two."""
    return float(np.std(repeats, ddof=1)) / math.sqrt(len(repeats)) if len(repeats) > 1 else None


def _differences(before: Sequence[float], after: Sequence[float], confidence: float) -> npt.NDArray[np.float64]:
    if len(before) != len(after) or not len(before):
        raise ValueError(f"pairs are needed: {len(before)} values before, {len(after)} after")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    d: npt.NDArray[np.float64] = np.subtract(after, before, dtype=np.float64)
    if not np.isfinite(d).all():
        raise ValueError("a value is not finite; leave crashed pairs out and say so")
    return d


def _verdict(low: float, high: float, margin: float) -> Verdict:
    if low > margin:
        return "better"
    return "worse" if high < -margin else "cannot tell"
