"""By how much latency fell from one time to another, with an interval, from windows of both.

Notation: b_i and a_j the 95th percentiles of windows before and after; b̃, ã their medians.

    reduction = 1 − ã / b̃        interval: percentiles of 1 − ã* / b̃* over resampled windows

Windows are resampled, not requests: requests of one moment share its luck.  Windows that depend on each other make the
interval too narrow.  Source: Efron & Tibshirani (1993), §13.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.watch import ServiceReading

__all__ = ["Reduction", "latency_reduction"]

DRAWS = 2000
LEAST = 5
"""Windows on each side."""


@dataclass(frozen=True, slots=True)
class Reduction:
    """Shares, above 0 where latency fell."""

    share: float
    low: float
    high: float


def latency_reduction(
    before: Sequence[ServiceReading | None],
    after: Sequence[ServiceReading | None],
    *,
    level: float = 0.9,
    seed: int = 0,
) -> Reduction | None:
    """The fall of the 95th percentile; None with fewer than five windows on a side that were seen."""
    b, a = (np.array([one.p95_ms for one in side if one is not None and one.p95_ms]) for side in (before, after))
    if len(b) < LEAST or len(a) < LEAST:
        return None
    rng = np.random.default_rng(seed)
    drawn = [np.median(x[rng.integers(len(x), size=(DRAWS, len(x)))], axis=1) for x in (b, a)]
    low, high = np.quantile(1 - drawn[1] / drawn[0], [(1 - level) / 2, (1 + level) / 2])
    return Reduction(float(1 - np.median(a) / np.median(b)), float(low), float(high))
