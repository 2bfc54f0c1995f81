"""What a running service tells of itself: metric values, log lines, events, and the gaps in all of these.

Times are UTC seconds since the epoch.  Values are in base units: seconds, and ratios in 0 … 1; `base_unit` converts.
Silence is `unknown`, never `healthy`: a series with too few minutes says nothing about its service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from core.records import Record

__all__ = [
    "AlarmTransition",
    "Completion",
    "Deployment",
    "Health",
    "LogLine",
    "Measure",
    "MetricPoint",
    "ServiceEvent",
    "Telemetry",
    "TelemetryGap",
    "base_unit",
    "measure_of",
    "parse_telemetry",
    "series_key",
]

Health = Literal["healthy", "degraded", "unknown"]
"""`unknown` where telemetry is missing, late or refused.  Nothing may be concluded from it."""

Measure = Literal["latency", "error_rate", "utilisation", "throughput", "cache_hit_rate", "other"]
"""What a series measures, and so which direction is worse and what counts as much."""

ALARM_STATES = Literal["ok", "alarm", "insufficient_data"]


class MetricPoint(Record):
    """One value of one series at one moment.  `value` may be NaN or infinite here; ingest sets that aside."""

    kind: Literal["metric"] = "metric"
    series: str = Field(min_length=1, max_length=300, description="name of the metric, such as request_latency")
    component: str = Field(default="", max_length=200)
    labels: dict[str, str] = Field(default={})
    unit: str = Field(default="", max_length=40, description="s, ms, %, 1, 1/s, …; empty: as it stands")
    measure: Measure | None = Field(default=None, description="None: told by name and unit")
    at: float
    value: float

    @property
    def key(self) -> str:
        """What tells this series from the others."""
        return series_key(self.series, self.component, self.labels)


class LogLine(Record):
    """One line of a log.  `error_type` is the exception's class, where there is one."""

    kind: Literal["log"] = "log"
    at: float
    level: Literal["debug", "info", "warning", "error", "critical"] = "info"
    component: str = Field(default="", max_length=200)
    message: str
    stack: str = ""
    error_type: str = Field(default="", max_length=200)
    trace_id: str = ""

    @property
    def is_error(self) -> bool:
        return self.level in ("error", "critical") or bool(self.error_type)


class ServiceEvent(Record):
    """Something that happened at a moment.  `id` is the sender's own, where it has one: it tells repeats."""

    at: float
    component: str = Field(default="", max_length=200)
    id: str = ""


class AlarmTransition(ServiceEvent):
    """An alarm went from one state to another."""

    kind: Literal["alarm"] = "alarm"
    alarm: str
    before: ALARM_STATES = "insufficient_data"
    after: ALARM_STATES
    severity: Literal["critical", "high", "medium", "low"] = "high"
    reason: str = ""


class Completion(ServiceEvent):
    """A function, query or outside call came to its end.  `trace_id` names the request it was part of."""

    kind: Literal["completion"] = "completion"
    function: str
    operation: Literal["function", "query", "call", "request"] = "function"
    file: str = Field(default="", description="where the function stands, relative to the service's folder")
    duration_s: float = Field(ge=0, allow_inf_nan=False)
    ok: bool = True
    error_type: str = ""
    trace_id: str = ""
    caller: str = Field(default="", description="the function it was called from")
    statement: str = Field(default="", max_length=4000, description="of a query: its text")
    arguments: str = Field(default="", max_length=400, description="a text or hash that is equal for equal arguments")
    size: float | None = Field(default=None, description="how large its input was: items, bytes, …")
    revision: str = Field(
        default="", max_length=200, description="of a request: the digest of the release it was given"
    )


class Deployment(ServiceEvent):
    """A version of a component went live."""

    kind: Literal["deployment"] = "deployment"
    revision: str = ""


class TelemetryGap(Record):
    """Nothing, or nothing usable, was told from `begin` to `end`.  What happened there is unknown."""

    kind: Literal["gap"] = "gap"
    source: str = Field(description="a series' key, or the name of a source")
    begin: float
    end: float
    reason: str = Field(default="silent", description="silent, throttled, unreachable, refused, unreadable")


Telemetry = Annotated[
    MetricPoint | LogLine | AlarmTransition | Completion | Deployment | TelemetryGap, Field(discriminator="kind")
]
_TELEMETRY: TypeAdapter[Any] = TypeAdapter(Telemetry)


def parse_telemetry(data: Mapping[str, Any] | str | bytes) -> Telemetry:
    """One record, told by its `kind`.  Raises ValueError (pydantic's ValidationError) for what is none."""
    if isinstance(data, str | bytes):
        return _TELEMETRY.validate_json(data)  # type: ignore[no-any-return]
    return _TELEMETRY.validate_python(data)  # type: ignore[no-any-return]


def series_key(series: str, component: str = "", labels: Mapping[str, str] | None = None) -> str:
    """`component/series{a=1,b=2}`, labels in order of their names."""
    inside = ",".join(f"{name}={value}" for name, value in sorted((labels or {}).items()))
    return f"{component}/{series}" + (f"{{{inside}}}" if inside else "")


_FACTORS = {
    "ms": ("s", 1e-3),
    "millisecond": ("s", 1e-3),
    "milliseconds": ("s", 1e-3),
    "us": ("s", 1e-6),
    "microsecond": ("s", 1e-6),
    "microseconds": ("s", 1e-6),
    "ns": ("s", 1e-9),
    "nanoseconds": ("s", 1e-9),
    "s": ("s", 1.0),
    "sec": ("s", 1.0),
    "second": ("s", 1.0),
    "seconds": ("s", 1.0),
    "%": ("1", 1e-2),
    "percent": ("1", 1e-2),
    "1": ("1", 1.0),
    "ratio": ("1", 1.0),
    "count/second": ("1/s", 1.0),
}


def base_unit(unit: str) -> tuple[str, float]:
    """The base unit of `unit`, and the factor to it; a unit that is not known is its own base."""
    return _FACTORS.get(unit.strip().lower(), (unit, 1.0))


def measure_of(series: str, unit: str) -> Measure:
    """What a series measures, told by its name and unit."""
    name = series.lower()
    if "hit" in name and ("rate" in name or "ratio" in name):
        return "cache_hit_rate"
    if any(word in name for word in ("latency", "duration", "response_time", "responsetime", "elapsed")):
        return "latency"
    if any(word in name for word in ("error", "failure", "5xx", "fault")):
        return "error_rate"
    if any(word in name for word in ("utilisation", "utilization", "usage", "saturation")):
        return "utilisation" if base_unit(unit)[0] == "1" else "other"
    if any(word in name for word in ("throughput", "requests_per", "rps", "qps", "request_rate", "requestcount")):
        return "throughput"
    return "other"
