"""How much worse is a service than it was?  The largest of three relative changes.

    latency      p95 / p95₀ − 1
    errors       (e − e₀) / max(e₀, 0.01)
    throughput   1 − r / r₀

₀: the baseline; e: errors a request; r: requests a second.  What is not known on either side stays unknown.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from core.watch import Degradation, ServiceReading, WatchLevel

__all__ = ["ERROR_FLOOR", "degradation", "service_level"]

ERROR_FLOOR = 0.01
"""An error rate below it counts as this much, so that one error more is not a doubling."""


def degradation(baseline: WatchLevel, current: WatchLevel) -> Degradation:
    """The relative changes from `baseline` to `current`; above 0 is worse."""
    latency = errors = throughput = None
    if baseline.p95_ms and current.p95_ms is not None:
        latency = current.p95_ms / baseline.p95_ms - 1
    if baseline.error_rate is not None and current.error_rate is not None:
        errors = (current.error_rate - baseline.error_rate) / max(baseline.error_rate, ERROR_FLOOR)
    if baseline.throughput and current.throughput is not None:
        throughput = 1 - current.throughput / baseline.throughput
    return Degradation(latency=latency, errors=errors, throughput=throughput)


def service_level(readings: Iterable[ServiceReading | None]) -> WatchLevel:
    """The level over the windows that were seen: median percentiles, errors and requests summed."""
    seen = [reading for reading in readings if reading is not None and reading.seen]
    counted = [reading for reading in seen if reading.requests is not None]
    judged = [reading for reading in counted if reading.errors is not None]
    asked = sum(reading.requests or 0 for reading in judged)
    requests = sum(reading.requests or 0 for reading in counted)
    return WatchLevel(
        windows=len(seen),
        since=min((reading.at - reading.seconds for reading in seen), default=0.0),
        until=max((reading.at for reading in seen), default=0.0),
        requests=requests,
        p50_ms=_median([reading.p50_ms for reading in seen]),
        p95_ms=_median([reading.p95_ms for reading in seen]),
        p99_ms=_median([reading.p99_ms for reading in seen]),
        error_rate=sum(reading.errors or 0 for reading in judged) / asked if asked else None,
        throughput=requests / sum(reading.seconds for reading in counted) if counted else None,
    )


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
