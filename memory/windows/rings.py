"""One value a minute is not enough, all values are too many: count, sum, extremes and a histogram for each minute.

The histogram has BUCKETS buckets whose bounds grow by GROWTH, so a quantile is off by at most √GROWTH (10 %) within its
range of 1 : 2800, and exact at the extremes.  Its place is chosen by the first value; what lies outside is counted in
the end buckets.  A series takes 100 bytes a minute: 1 MB a week.

Source of the idea: Masson, Rim & Lee, DDSketch (2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BUCKETS", "GROWTH", "MINUTES", "Minutes", "Ring"]

WEEK = 7 * 24 * 60
MINUTES = WEEK + 3 * 60
"""Kept: the baseline's week, the hour compared with it, and what comes late."""
BUCKETS = 40
GROWTH = 1.22
FIRST_BUCKET = 14
"""Where the first value falls: more room above it than below, as latencies have."""
FULL = np.iinfo(np.uint16).max

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Minutes:
    """Consecutive minutes of one series from `begin` (minutes since the epoch); arrays have one entry a minute."""

    begin: int
    count: npt.NDArray[np.uint32]
    total: Floats
    low: Floats
    high: Floats

    @property
    def mean(self) -> Floats:
        """The mean of each minute; NaN where nothing was told."""
        with np.errstate(invalid="ignore", divide="ignore"):
            mean: Floats = np.where(self.count > 0, self.total / self.count, np.nan)
        return mean


class Ring:
    """The last MINUTES minutes of one series.  Late values are taken as long as their minute is still kept."""

    def __init__(self) -> None:
        self.newest = -1
        self.base = 0.0
        self._count = np.zeros(MINUTES, np.uint32)
        self._total = np.zeros(MINUTES, np.float64)
        self._low = np.full(MINUTES, np.inf, np.float32)
        self._high = np.full(MINUTES, -np.inf, np.float32)
        self._histogram = np.zeros((MINUTES, BUCKETS), np.uint16)

    def add(self, at: Floats, values: Floats) -> int:
        """Take finite `values` told at `at` (seconds); how many were too late to be taken."""
        minutes = np.floor_divide(at, 60).astype(np.int64)
        self._advance(int(minutes.max()))
        kept = minutes > self.newest - MINUTES
        minutes, values = minutes[kept], values[kept]
        if values.size:
            slots = minutes % MINUTES
            np.add.at(self._count, slots, 1)
            np.add.at(self._total, slots, values)
            np.minimum.at(self._low, slots, values.astype(np.float32))
            np.maximum.at(self._high, slots, values.astype(np.float32))
            buckets = self._buckets(values)
            full = self._histogram[slots, buckets] >= FULL - values.size
            if full.any():
                self._histogram[np.unique(slots[full])] //= 2  # the shape stays; the count is kept beside it
            np.add.at(self._histogram, (slots, buckets), 1)
        return int(kept.size - kept.sum())

    def minutes(self, begin: int, end: int) -> Minutes:
        """The minutes from `begin` up to but without `end`; those not kept are empty."""
        wanted = np.arange(begin, end, dtype=np.int64)
        known = (wanted > self.newest - MINUTES) & (wanted <= self.newest)
        slots = wanted % MINUTES
        return Minutes(
            begin,
            np.where(known, self._count[slots], 0).astype(np.uint32),
            np.where(known, self._total[slots], 0.0),
            np.where(known, self._low[slots], np.inf).astype(np.float64),
            np.where(known, self._high[slots], -np.inf).astype(np.float64),
        )

    def quantile(self, q: float, begin: int, end: int) -> float | None:
        """The value below which a share `q` of all values of these minutes lies; None where there are none."""
        begin, end = max(begin, self.newest - MINUTES + 1), min(end, self.newest + 1)
        if begin >= end:
            return None
        slots = np.arange(begin, end, dtype=np.int64) % MINUTES
        counts = self._histogram[slots].sum(axis=0, dtype=np.int64)
        total = int(counts.sum())
        if not total:
            return None
        low, high = float(self._low[slots].min()), float(self._high[slots].max())
        rank = q * total
        below = np.cumsum(counts)
        bucket = min(int(np.searchsorted(below, rank)), BUCKETS - 1)
        inside = (rank - (below[bucket] - counts[bucket])) / max(int(counts[bucket]), 1)
        if self.base <= 0 or bucket == 0:
            return low if bucket == 0 and q < 1 else high
        value = self.base * GROWTH ** (bucket - FIRST_BUCKET + min(max(inside, 0.0), 1.0))
        return float(min(max(value, low), high))

    def dump(self) -> dict[str, Any]:
        """The minutes that hold something, as arrays; `merge` of another ring adds them."""
        slots = np.flatnonzero(self._count)
        minutes = self.newest - (self.newest - slots) % MINUTES
        rows, buckets = np.nonzero(self._histogram[slots])
        return {
            "base": np.float64(self.base),
            "minutes": minutes.astype(np.int32),
            "count": self._count[slots],
            "total": self._total[slots],
            "low": self._low[slots],
            "high": self._high[slots],
            "rows": rows.astype(np.uint16),
            "buckets": buckets.astype(np.uint8),
            "histogram": self._histogram[slots][rows, buckets],
        }

    def merge(self, told: dict[str, Any]) -> None:
        """Add what `dump` of another part of the same series gave."""
        minutes = told["minutes"].astype(np.int64)
        if not minutes.size:
            return
        if self.base <= 0:
            self.base = float(told["base"])
        self._advance(int(minutes.max()))
        kept = minutes > self.newest - MINUTES
        slots = minutes % MINUTES
        into = slots[kept]
        self._count[into] += told["count"][kept]
        self._total[into] += told["total"][kept]
        self._low[into] = np.minimum(self._low[into], told["low"][kept])
        self._high[into] = np.maximum(self._high[into], told["high"][kept])
        rows = told["rows"]
        fresh = kept[rows]
        shift = 0
        if told["base"] > 0 and self.base > 0:
            shift = round(math.log(float(told["base"]) / self.base) / math.log(GROWTH))
        buckets = np.clip(told["buckets"][fresh].astype(np.int64) + shift, 0, BUCKETS - 1)
        wide = np.zeros((minutes.size, BUCKETS), np.int64)
        np.add.at(wide, (rows[fresh], buckets), told["histogram"][fresh])
        self._histogram[into] = np.minimum(self._histogram[into] + wide[kept], FULL).astype(np.uint16)

    def _advance(self, minute: int) -> None:
        """Forget what falls out when `minute` becomes the newest."""
        if minute <= self.newest:
            return
        begin = max(self.newest + 1, minute - MINUTES + 1) if self.newest >= 0 else minute - MINUTES + 1
        slots = np.arange(begin, minute + 1, dtype=np.int64) % MINUTES
        if self.newest >= 0:
            self._count[slots] = 0
            self._total[slots] = 0.0
            self._low[slots] = np.inf
            self._high[slots] = -np.inf
            self._histogram[slots] = 0
        self.newest = minute

    def _buckets(self, values: Floats) -> npt.NDArray[np.int64]:
        positive = values > 0
        if self.base <= 0 and positive.any():
            self.base = GROWTH ** round(math.log(float(values[positive][0])) / math.log(GROWTH))
        buckets = np.zeros(values.shape, np.int64)
        if self.base > 0:
            ratio = np.log(values[positive] / self.base) / math.log(GROWTH)
            buckets[positive] = np.clip(np.floor(ratio) + FIRST_BUCKET, 1, BUCKETS - 1).astype(np.int64)
        return buckets
