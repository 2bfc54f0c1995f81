"""Numbers that only grow, as rates; and buckets of a histogram, as quantiles.

A counter that is smaller than before was reset: what it shows has come since then.  A quantile is interpolated within
its bucket, linearly, as Prometheus does it; beyond the last finite bound it is that bound.

Source: https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence

__all__ = ["Counters", "bucket_quantile"]

MAX_COUNTERS = 50_000


class Counters:
    """Remembers the last value of each counter."""

    def __init__(self, limit: int = MAX_COUNTERS) -> None:
        self._limit = limit
        self._last: OrderedDict[object, tuple[float, float]] = OrderedDict()

    def increase(self, key: object, at: float, value: float) -> tuple[float, float] | None:
        """How much it grew, in how many seconds; None at first sight, without new time, and for what is no number."""
        if not math.isfinite(value) or value < 0:
            return None
        before = self._last.get(key)
        if before is not None and at <= before[1]:
            return None
        self._last[key] = (value, at)
        self._last.move_to_end(key)
        if len(self._last) > self._limit:
            self._last.popitem(last=False)
        if before is None:
            return None
        return (value - before[0] if value >= before[0] else value), at - before[1]

    def rate(self, key: object, at: float, value: float) -> float | None:
        """Per second; None where `increase` is."""
        grown = self.increase(key, at, value)
        return None if grown is None else grown[0] / grown[1]


def bucket_quantile(q: float, bounds: Sequence[float], counts: Sequence[float]) -> float | None:
    """The quantile `q` of a histogram: `counts[i]` lie in (bounds[i-1], bounds[i]], the last bound may be infinite.

    None where nothing was counted, or where there is no finite bound.
    """
    total = math.fsum(counts)
    if not total > 0 or not bounds or not math.isfinite(bounds[0]):
        return None
    rank, below = q * total, 0.0
    for place, (bound, count) in enumerate(zip(bounds, counts, strict=True)):
        if count > 0 and below + count >= rank:
            low = bounds[place - 1] if place else min(0.0, bound)
            if not math.isfinite(bound):
                return low
            return low + (bound - low) * (rank - below) / count
        below += count
    return max(bound for bound in bounds if math.isfinite(bound))
