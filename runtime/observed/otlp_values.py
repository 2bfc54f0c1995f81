"""Values, attributes and metrics of OpenTelemetry's protocol as plain ones.

Source: https://opentelemetry.io/docs/specs/otlp/, https://opentelemetry.io/docs/specs/semconv/
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from core.telemetry import LogLine, Measure, MetricPoint
from runtime.observed.counters import Counters
from runtime.observed.prometheus import histogram_points

__all__ = ["attributes", "component_of", "log_lines", "metric_points"]

MAX_CHARS = 4_000
MAX_DEPTH = 8
CUMULATIVE = 2
Level = Literal["debug", "info", "warning", "error", "critical"]
LABEL_CHARS = 200


def attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    return {one.key: value(one.value) for one in pairs}


def value(told: Any, depth: int = 0) -> Any:
    """A text, number, truth, list or dictionary; None where there is none, or it is too deep."""
    kind = told.WhichOneof("value")
    if kind is None or depth > MAX_DEPTH:
        return None
    if kind == "array_value":
        return [value(one, depth + 1) for one in told.array_value.values]
    if kind == "kvlist_value":
        return {one.key: value(one.value, depth + 1) for one in told.kvlist_value.values}
    plain = getattr(told, kind)
    return plain[:MAX_CHARS] if isinstance(plain, str) else plain


def component_of(resource: Any) -> str:
    """The service's name."""
    return str(attributes(resource.attributes).get("service.name", ""))[:200]


def log_lines(resources: Any, now: float) -> Iterator[LogLine]:
    """Of an ExportLogsServiceRequest.  A line without a time was said now."""
    for resource in resources:
        component = component_of(resource.resource)
        for scope in resource.scope_logs:
            for one in scope.log_records:
                told = attributes(one.attributes)
                body = value(one.body)
                at = one.time_unix_nano or one.observed_time_unix_nano
                yield LogLine(
                    at=at / 1e9 if at else now,
                    level=_level(one.severity_number),
                    component=component,
                    message=str("" if body is None else body) or str(told.get("exception.message", "")),
                    stack=str(told.get("exception.stacktrace", "")),
                    error_type=str(told.get("exception.type", ""))[:200],
                    trace_id=one.trace_id.hex(),
                )


def metric_points(resources: Any, counters: Counters, now: float) -> Iterator[MetricPoint]:
    """Of an ExportMetricsServiceRequest: gauges as they are, sums as rates, histograms as rate, mean and quantiles."""
    for resource in resources:
        component = component_of(resource.resource)
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                if kind == "gauge":
                    for point in metric.gauge.data_points:
                        yield _point(metric.name, component, point, metric.unit, _number(point), now)
                elif kind == "sum":
                    yield from _sum(metric, component, counters, now)
                elif kind == "histogram":
                    yield from _histogram(metric, component, counters, now)


def _sum(metric: Any, component: str, counters: Counters, now: float) -> Iterator[MetricPoint]:
    total = metric.sum
    for point in total.data_points:
        told = _number(point)
        if not total.is_monotonic:
            # what goes up and down is a state, if it is told whole
            if total.aggregation_temporality == CUMULATIVE:
                yield _point(metric.name, component, point, metric.unit, told, now)
            continue
        if total.aggregation_temporality == CUMULATIVE:
            rate = counters.rate((component, metric.name, _labels(point)), _time(point, now), told)
        else:
            seconds = (point.time_unix_nano - point.start_time_unix_nano) / 1e9
            rate = told / seconds if seconds > 0 else None
        if rate is not None:
            asked = "request" in metric.name and "error" not in metric.name
            yield _point(metric.name, component, point, "1/s", rate, now, "throughput" if asked else "other")


def _histogram(metric: Any, component: str, counters: Counters, now: float) -> Iterator[MetricPoint]:
    cumulative = metric.histogram.aggregation_temporality == CUMULATIVE
    for point in metric.histogram.data_points:
        bounds = [*point.explicit_bounds, math.inf]
        counts, count, total = list(map(float, point.bucket_counts)), float(point.count), float(point.sum)
        seconds = (point.time_unix_nano - point.start_time_unix_nano) / 1e9
        if len(counts) != len(bounds):
            continue
        if cumulative:
            key, at = (component, metric.name, _labels(point)), _time(point, now)
            grown = counters.increase((*key, "count"), at, count)
            parts = [counters.increase((*key, place), at, one) for place, one in enumerate(counts)]
            sums = counters.increase((*key, "sum"), at, total)
            if grown is None or None in parts:
                continue
            count, seconds = grown
            counts = [part[0] for part in parts if part is not None]
            total = sums[0] if sums is not None else math.nan
        for suffix, told in histogram_points(bounds, counts, count, total, seconds):
            unit = "1/s" if suffix == "rate" else metric.unit
            measure: Measure | None = None
            if suffix == "rate":
                measure = "throughput" if "request" in metric.name or "server" in metric.name else "other"
            yield _point(f"{metric.name}.{suffix}", component, point, unit, told, now, measure)


def _point(
    series: str, component: str, point: Any, unit: str, told: float, now: float, measure: Measure | None = None
) -> MetricPoint:
    return MetricPoint(
        series=series[:300] or "unnamed",
        component=component,
        labels=dict(_labels(point)),
        unit=unit[:40],
        measure=measure,
        at=_time(point, now),
        value=told,
    )


def _number(point: Any) -> float:
    return float(point.as_int if point.WhichOneof("value") == "as_int" else point.as_double)


def _time(point: Any, now: float) -> float:
    return point.time_unix_nano / 1e9 if point.time_unix_nano else now


def _labels(point: Any) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((n[:LABEL_CHARS], str(v)[:LABEL_CHARS]) for n, v in attributes(point.attributes).items()))


def _level(number: int) -> Level:
    """From OpenTelemetry's 1 … 24; 0 is not told."""
    if number >= 21:
        return "critical"
    if number >= 17:
        return "error"
    if number >= 13:
        return "warning"
    return "info" if number >= 9 or number == 0 else "debug"
