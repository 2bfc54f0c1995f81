"""How a function's duration grows with the size of its input: t = a n^b, from pairs (n, t).

b is Theil and Sen's: the median of slopes of ln t over ln n between pairs whose sizes differ by a factor of 1.5 at
least, so that a few slow calls do not decide.  Its interval is the 5 % and 95 % percentiles over resampled pairs.
Beyond linear means that the whole interval lies above 1.25: n log n is below that for every n above 60.

Source: Sen (1968); Efron & Tibshirani (1993), §13.3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Growth", "growth"]

MIN_PAIRS = 12
MIN_RANGE = 3.0
"""Of sizes, largest to smallest: less range tells nothing about growth."""
MAX_PAIRS = 160
BEYOND_LINEAR = 1.25
DRAWS = 60


@dataclass(frozen=True)
class Growth:
    """The exponent b with its 90 % interval, from `pairs` pairs of sizes between `smallest` and `largest`."""

    exponent: float
    low: float
    high: float
    pairs: int
    smallest: float
    largest: float

    @property
    def superlinear(self) -> bool:
        return self.low > BEYOND_LINEAR


def growth(sizes: Sequence[float], durations_s: Sequence[float], seed: int = 0) -> Growth | None:
    """None where there are fewer than 12 pairs above 0, or sizes range over less than a factor of 3."""
    n, t = np.asarray(sizes, dtype=float), np.asarray(durations_s, dtype=float)
    usable = np.isfinite(n) & np.isfinite(t) & (n > 0) & (t > 0)
    n, t = n[usable], t[usable]
    if n.size < MIN_PAIRS or n.max() / n.min() < MIN_RANGE:
        return None
    rng = np.random.default_rng(seed)
    if n.size > MAX_PAIRS:
        chosen = rng.choice(n.size, MAX_PAIRS, replace=False)
        n, t = n[chosen], t[chosen]
    x, y = np.log(n), np.log(t)
    exponent = _slope(x, y)
    if exponent is None:
        return None
    drawn = [_slope(x[chosen], y[chosen]) for chosen in rng.integers(n.size, size=(DRAWS, n.size))]
    slopes = [one for one in drawn if one is not None]
    low, high = (float(q) for q in np.quantile(slopes, [0.05, 0.95])) if slopes else (-math.inf, math.inf)
    return Growth(exponent, low, high, int(n.size), float(n.min()), float(n.max()))


def _slope(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float | None:
    dx = np.subtract.outer(x, x)
    far = dx > math.log(1.5)
    if far.sum() < MIN_PAIRS:
        return None
    return float(np.median(np.subtract.outer(y, y)[far] / dx[far]))
