"""The watch over a deployment: what was read of the service, what counts as a degradation, and what was decided.

Latencies are milliseconds, times UTC seconds since the epoch, durations seconds.  What is not known is None: it is
never taken for healthy, and never for zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from core.records import Record
from core.validation import config_error

__all__ = [
    "MEASURES",
    "Degradation",
    "Measure",
    "ServiceReading",
    "Shift",
    "WatchAnswer",
    "WatchLevel",
    "WatchRules",
    "WatchVerdict",
    "watch_rules",
]

Measure = Literal["latency", "errors", "throughput"]
MEASURES: tuple[Measure, ...] = ("latency", "errors", "throughput")

WatchAnswer = Literal["continue", "healthy", "degraded", "cannot tell", "unknown"]
"""`cannot tell`: the watch ended and the noise was too much; `unknown`: most of it was not seen at all."""


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Known = Annotated[float | None, BeforeValidator(_known)]
Count = Annotated[int | None, BeforeValidator(_known)]


class ServiceReading(Record):
    """What was seen of a service in the window that ends at `at`.  NaN and infinity become None.

    `requests` 0 is a service that nobody asks, None is a gap in what was seen.
    """

    at: float
    seconds: float = Field(default=60.0, gt=0)
    requests: Count = Field(default=None, ge=0)
    errors: Count = Field(default=None, ge=0)
    p50_ms: Known = Field(default=None, ge=0)
    p95_ms: Known = Field(default=None, ge=0)
    p99_ms: Known = Field(default=None, ge=0)

    @property
    def seen(self) -> bool:
        """Whether anything of it is known."""
        return self.requests is not None or self.p95_ms is not None

    @property
    def throughput(self) -> float | None:
        """Requests a second."""
        return None if self.requests is None else self.requests / self.seconds


class WatchLevel(Record):
    """A service over several windows of a watch: medians of the percentiles, and the sums' rate and throughput.

    An assessment tells it in seconds, as `core.improvement.ServiceLevel`.
    """

    windows: int = Field(ge=0, description="that were seen")
    since: float = 0.0
    until: float = 0.0
    requests: int = 0
    p50_ms: Known = None
    p95_ms: Known = None
    p99_ms: Known = None
    error_rate: Known = Field(default=None, ge=0)
    throughput: Known = Field(default=None, ge=0, description="requests a second")


class Degradation(Record):
    """Relative changes for the worse, below 0 for the better; `worst` is the largest of those that are known."""

    latency: Known = Field(default=None, description="of the p95")
    errors: Known = Field(default=None, description="of the error rate, over max(baseline, 0.01)")
    throughput: Known = Field(default=None, description="how much less")

    @property
    def worst(self) -> float | None:
        known = [value for value in (self.latency, self.errors, self.throughput) if value is not None]
        return max(known, default=None)


class Shift(Record):
    """How much worse one measure has become, with the interval that holds at every look."""

    measure: Measure
    estimate: float
    low: float
    high: float
    last_low: float = Field(description="and the bounds for a single look, at the end")
    last_high: float
    windows: int = Field(ge=0, description="that speak")
    noise_factor: float = Field(default=1.0, ge=1, description="by which the history widened the interval")


class WatchVerdict(Record):
    """What may be said after `windows` windows, of which `unknown` were gaps, and why."""

    answer: WatchAnswer
    reason: str
    at: float
    windows: int = Field(ge=0)
    unknown: int = Field(default=0, ge=0)
    degradation: Degradation = Field(default=Degradation(), description="the formula, on medians: baseline and now")
    shifts: tuple[Shift, ...] = Field(default=(), description="what the answer rests on")
    at_once: bool = Field(default=False, description="health checks or a storm of errors decided, no statistics")
    baseline: WatchLevel | None = None
    final: WatchLevel | None = None


class WatchRules(Record):
    """How long a deployment is watched, and what ends it."""

    duration_s: float = Field(default=3600.0, gt=0)
    interval_s: float = Field(default=60.0, gt=0)
    threshold: float = Field(default=0.10, gt=0, lt=10, description="relative degradation above which it goes back")
    level: float = Field(default=0.998, gt=0.5, lt=1, description="of the interval of each measure, over the watch")
    least_windows: int = Field(default=3, ge=1, description="before the statistics may speak")
    least_history: int = Field(default=20, ge=5, description="windows before the deployment that the noise needs")
    unhealthy_checks: int = Field(default=3, ge=1, description="in a row, that end the watch at once")
    storm_rate: float = Field(default=0.25, gt=0, le=1, description="error rate of one window that ends it at once")
    storm_requests: int = Field(default=20, ge=1, description="that such a window must have")
    if_undecided: Literal["keep", "rollback"] = "keep"
    if_unknown: Literal["keep", "rollback"] = "rollback"

    @property
    def windows(self) -> int:
        return max(1, round(self.duration_s / self.interval_s))


def watch_rules(environment: Mapping[str, str], **given: Any) -> WatchRules:
    """The rules; MONITORING_DURATION_SECONDS and ROLLBACK_DEGRADATION_THRESHOLD count where nothing else is given.

    Raises ConfigError.
    """
    names = {"MONITORING_DURATION_SECONDS": "duration_s", "ROLLBACK_DEGRADATION_THRESHOLD": "threshold"}
    values = {field: environment[name] for name, field in names.items() if environment.get(name)}
    try:
        return WatchRules.model_validate({**values, **given})
    except ValidationError as error:
        raise config_error(error, WatchRules, "the rules of the watch") from error
