"""A /metrics endpoint, scraped: counters become rates, histograms their quantiles, gauges stay as they are.

    http_requests_total{code}   http_requests_total, 1/s, for each set of labels; and http_requests.error_rate, the
                                share whose code or status begins with 5, where there are such labels
    x_seconds (histogram)       x_seconds.rate, .mean, .p50, .p95, .p99

A counter's first value tells no rate, so nothing is told of the time before the first scrape, or of a time in which
scrapes failed: that is a gap.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from core.telemetry import Measure, MetricPoint, TelemetryGap
from runtime.observed.counters import Counters, bucket_quantile
from runtime.observed.source import Reading

__all__ = ["PrometheusScrape", "histogram_points"]

BODY_BYTES = 16 * 1024 * 1024
TIMEOUT_S = 10.0
MAX_POINTS = 20_000
COMPONENT_LABELS = ("component", "service", "job")
STATUS_LABELS = ("code", "status", "status_code", "http_status_code")
QUANTILES = (0.5, 0.95, 0.99)

Labels = tuple[tuple[str, str], ...]


class PrometheusScrape:
    """One endpoint.  `component` is that of series without a label component, service or job."""

    def __init__(self, url: str, *, component: str = "", name: str = "", timeout_s: float = TIMEOUT_S) -> None:
        self.url = url
        self.name = name or url
        self._component = component
        self._client = httpx.Client(timeout=timeout_s, follow_redirects=False, trust_env=False)
        self._timeout_s = timeout_s
        self._counters = Counters()
        self._last_ok: float | None = None

    def read(self, now: float) -> Reading:
        try:
            text = self._text()
            points = self._points(text, now)
        except (httpx.HTTPError, ValueError) as error:
            begin = self._last_ok if self._last_ok is not None else now
            self._last_ok = now  # the next gap begins where this one ends
            return Reading([TelemetryGap(source=self.name, begin=begin, end=now, reason=_reason(error))])
        self._last_ok = now
        aside = {"too_many_points": len(points) - MAX_POINTS} if len(points) > MAX_POINTS else {}
        return Reading(list(points[:MAX_POINTS]), aside=aside)

    def close(self) -> None:
        self._client.close()

    def _text(self) -> str:
        """Raises httpx.HTTPError, and ValueError for an answer that is none."""
        headers = {"Accept": "text/plain;version=0.0.4", "User-Agent": "ratchet"}
        with self._client.stream("GET", self.url, headers=headers) as answer:
            if answer.status_code != 200:
                raise ValueError(f"status {answer.status_code}")
            body = bytearray()
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > BODY_BYTES:
                    raise ValueError(f"more than {BODY_BYTES:,} bytes")
        return body.decode("utf-8", "replace")

    def _points(self, text: str, now: float) -> list[MetricPoint]:
        from prometheus_client.parser import text_string_to_metric_families

        points: list[MetricPoint] = []
        for family in text_string_to_metric_families(text):
            if family.type in ("histogram", "summary"):
                points += self._distribution(family, now)
            elif family.type == "counter":
                points += self._counter(family, now)
            else:
                for sample in family.samples:
                    if not sample.name.endswith("_created"):
                        points.append(self._point(sample.name, _labels(sample.labels), now, sample.value, ""))
        return points

    def _counter(self, family: Any, now: float) -> Iterable[MetricPoint]:
        measure: Measure = "throughput" if "request" in family.name and "error" not in family.name else "other"
        shares: dict[Labels, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for sample in family.samples:
            labels = _labels(sample.labels)
            if sample.name.endswith("_created"):
                continue
            rate = self._counters.rate((sample.name, labels), now, sample.value)
            if rate is None:
                continue
            yield self._point(sample.name, labels, now, rate, "1/s", measure)
            status = next((value for name, value in labels if name in STATUS_LABELS), None)
            if status is not None and measure == "throughput":
                rest = tuple((name, value) for name, value in labels if name not in STATUS_LABELS)
                shares[rest][0] += rate if status.startswith("5") else 0.0
                shares[rest][1] += rate
        for rest, (failed, every) in shares.items():
            if every > 0:
                yield self._point(f"{family.name}.error_rate", rest, now, failed / every, "1", "error_rate")

    def _distribution(self, family: Any, now: float) -> Iterable[MetricPoint]:
        grown: dict[Labels, dict[str, Any]] = defaultdict(lambda: {"buckets": {}, "count": None, "sum": None})
        for sample in family.samples:
            labels = tuple(pair for pair in _labels(sample.labels) if pair[0] != "le")
            if sample.name.endswith("_created"):
                continue
            if family.type == "summary" and sample.name == family.name:
                yield self._point(sample.name, labels, now, sample.value, _unit(family.name))
                continue
            increase = self._counters.increase((sample.name, _labels(sample.labels)), now, sample.value)
            if increase is None:
                continue
            if "le" in sample.labels:
                grown[labels]["buckets"][float(sample.labels["le"])] = increase[0]
            else:
                grown[labels][sample.name.removeprefix(f"{family.name}_")] = increase
        for labels, one in grown.items():
            if one["count"] is None:
                continue
            bounds = sorted(one["buckets"])
            below = [one["buckets"][bound] for bound in bounds]
            counts = [max(0.0, high - low) for low, high in zip([0.0, *below], below, strict=False)]
            total = None if one["sum"] is None else one["sum"][0]
            for suffix, value in histogram_points(bounds, counts, one["count"][0], total, one["count"][1]):
                unit = "1/s" if suffix == "rate" else _unit(family.name)
                measure: Measure | None = "latency" if unit == "s" else None
                if suffix == "rate" and "request" in family.name:
                    measure = "throughput"
                yield self._point(f"{family.name}.{suffix}", labels, now, value, unit, measure)

    def _point(
        self, series: str, labels: Labels, at: float, value: float, unit: str, measure: Measure | None = None
    ) -> MetricPoint:
        component = next((v for wanted in COMPONENT_LABELS for n, v in labels if n == wanted), self._component)
        rest = {name: text for name, text in labels if name not in COMPONENT_LABELS}
        return MetricPoint(
            series=series[:300],
            component=component[:200],
            labels=rest,
            unit=unit or _unit(series),
            measure=measure,
            at=at,
            value=value,
        )


def histogram_points(
    bounds: list[float], counts: list[float], count: float, total: float | None, seconds: float
) -> list[tuple[str, float]]:
    """What a histogram grew by in `seconds`: rate, mean, p50, p95, p99 by name; where nothing was counted, the rate."""
    told = [("rate", count / seconds)] if seconds > 0 else []
    if count > 0:
        if total is not None and math.isfinite(total):
            told.append(("mean", total / count))
        for q in QUANTILES:
            value = bucket_quantile(q, bounds, counts)
            if value is not None:
                told.append((f"p{round(q * 100)}", value))
    return told


def _labels(labels: Mapping[str, str]) -> Labels:
    return tuple(sorted((name, value[:200]) for name, value in labels.items()))


def _unit(name: str) -> str:
    plain = name.removesuffix("_total")
    return "s" if plain.endswith("_seconds") else "1" if plain.endswith("_ratio") else ""


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.HTTPError):
        return "unreachable"
    text = str(error)
    if text == "status 429":
        return "throttled"
    return "refused" if text.startswith("status ") else "unreadable"
