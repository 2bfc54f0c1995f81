"""The requests of a service as its watch sees them: windows of any length, from the completions that it tells.

Bounded: the newest `MOST` requests are kept.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable

import numpy as np

from agents.live.intake import FUTURE_S
from core.telemetry import Completion, Telemetry, TelemetryGap
from core.watch import ServiceReading
from runtime.observed import Source

__all__ = ["RequestsSeen"]

MOST = 500_000
MOST_GAPS = 10_000
Seen = tuple[float, float, bool, str]
"""When a request ended, the seconds it took, whether it succeeded, and the release that answered it."""


class RequestsSeen:
    """`told_since` and `told_until` are the times of the oldest and the newest thing that was told: what lies before
    and after is not seen, and so unknown.  `tells_revisions`: requests are told with the release that answered them.
    """

    def __init__(self) -> None:
        self.told_since, self.told_until = math.inf, -math.inf
        self.tells_revisions = False
        self._gaps: deque[tuple[float, float]] = deque(maxlen=MOST_GAPS)
        self._requests: list[Seen] = []
        self._known: set[Seen] = set()

    def take(self, records: Iterable[Telemetry], now: float) -> None:
        """Keep the requests among the records; they may come out of order.  Times that cannot be are left out."""
        for one in records:
            if isinstance(one, TelemetryGap):
                self._gaps.append((one.begin, one.end))
                continue
            if not math.isfinite(one.at) or one.at > now + FUTURE_S:
                continue
            self.told_since, self.told_until = min(self.told_since, one.at), max(self.told_until, one.at)
            if isinstance(one, Completion) and one.operation == "request":
                seen = (one.at, one.duration_s, one.ok, one.revision)
                self.tells_revisions |= bool(one.revision)
                if seen not in self._known:
                    insort(self._requests, seen)
        if len(self._requests) > MOST:
            del self._requests[: len(self._requests) - MOST]
            self.told_since = self._requests[0][0]

    def take_all(self, source: Source, now: float) -> None:
        """Everything that a source has, which an earlier process has read; its records come again to `take`."""
        while True:
            reading = source.read(now)
            self.take(reading.records, now)
            if not reading.more:
                break
        source.close()
        self._known = set(self._requests)

    def reading(self, since: float, until: float, revision: str = "") -> ServiceReading | None:
        """What ended from `since` to before `until`; None where nothing was told of that time, before it or after it,
        or a source was away.

        `revision`: of the requests that this release answered.  They may be told with the beginning of its digest.
        """
        if self.told_until < since or self.told_since >= until:
            return None
        low, high = bisect_left(self._requests, (since,)), bisect_left(self._requests, (until,))
        inside = self._requests[low:high]
        if not inside and any(begin < until and end > since for begin, end in self._gaps):
            return None
        if revision:
            inside = [one for one in inside if one[3] and revision.startswith(one[3])]
        took = np.array([seconds for _, seconds, *_ in inside]) * 1000
        p50, p95, p99 = np.percentile(took, (50, 95, 99)) if len(took) else (None, None, None)
        return ServiceReading(
            at=until,
            seconds=until - since,
            requests=len(inside),
            errors=sum(not ok for _, _, ok, _ in inside),
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
        )
