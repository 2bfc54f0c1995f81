"""The requests of a service as its watch sees them: windows of any length, from the completions that it tells.

Bounded: the newest `MOST` requests are kept.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterable

import numpy as np

from core.telemetry import Completion, Telemetry
from core.watch import ServiceReading
from runtime.observed import Source

__all__ = ["RequestsSeen"]

MOST = 500_000


class RequestsSeen:
    """`told_until` is the time of the newest thing that was told: what lies after it is not seen, and so unknown."""

    def __init__(self) -> None:
        self.told_until = -math.inf
        self._requests: list[tuple[float, float, bool]] = []
        self._known: set[tuple[float, float, bool]] = set()

    def take(self, records: Iterable[Telemetry]) -> None:
        """Keep the requests among the records; they may come out of order."""
        for one in records:
            at = getattr(one, "at", None)
            if at is not None:
                self.told_until = max(self.told_until, at)
            if isinstance(one, Completion) and one.operation == "request":
                seen = (one.at, one.duration_s, one.ok)
                if seen not in self._known:
                    insort(self._requests, seen)
        if len(self._requests) > MOST:
            del self._requests[: len(self._requests) - MOST]

    def take_all(self, source: Source, now: float) -> None:
        """Everything that a source has, which an earlier process has read; its records come again to `take`."""
        while True:
            reading = source.read(now)
            self.take(reading.records)
            if not reading.more:
                break
        source.close()
        self._known = set(self._requests)

    def reading(self, since: float, until: float) -> ServiceReading | None:
        """What ended from `since` to before `until`; None where nothing was told of that time or after it."""
        if self.told_until < since:
            return None
        low, high = bisect_left(self._requests, (since,)), bisect_left(self._requests, (until,))
        inside = self._requests[low:high]
        took = np.array([seconds for _, seconds, _ in inside]) * 1000
        p50, p95, p99 = np.percentile(took, (50, 95, 99)) if len(took) else (None, None, None)
        return ServiceReading(
            at=until,
            seconds=until - since,
            requests=len(inside),
            errors=sum(not ok for _, _, ok in inside),
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
        )
