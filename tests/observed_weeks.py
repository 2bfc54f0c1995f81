"""Weeks of telemetry of a service that nobody has: seeded, with the seasons, skew, gaps and deployments of real ones.

    week = Week(seed)                 # clean
    week = Week(seed, fault="latency")
    engine.ingest_telemetry(week.minute_points()); engine.ingest_telemetry(week.last_hours())

Clean weeks are not calm: traffic has hours and weekends, latency is skewed and follows the load, single minutes are ten
times as slow, a deployment shifts a level a little, minutes are missing, errors happen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.telemetry import Completion, Deployment, LogLine, MetricPoint, Telemetry

__all__ = ["FAULTS", "NOW", "Week"]

NOW = 1_796_040_000.0
"""A Tuesday morning; `Week.now` moves it by hours."""
MINUTES = 7 * 1440 + 60
COMPONENTS = ("web", "orders", "billing", "search")
Floats = npt.NDArray[np.float64]

SERIES_FAULTS = ("latency", "error_rate", "utilisation", "throughput")
EVENT_FAULTS = ("cache", "uncached", "n_plus_one", "redundant_call", "slow_function", "recurring_error", "timeout",
                "slow_call", "connection", "api")  # fmt: skip
FAULTS = SERIES_FAULTS + EVENT_FAULTS


@dataclass(frozen=True)
class Expected:
    """What has to be found: the kind of the opportunity, its component, and a text in its subject or function."""

    kind: str
    component: str
    about: str


class Week:
    """One service of four components.  `fault` is planted in the last hour of one of them."""

    def __init__(self, seed: int, fault: str = "") -> None:
        self._rng = np.random.default_rng(seed)
        self.fault = fault
        self.now = NOW + 3600.0 * int(self._rng.integers(0, 168))
        self.broken = COMPONENTS[int(self._rng.integers(len(COMPONENTS)))]
        self.times = self.now - 60.0 * np.arange(MINUTES, 0, -1) + 30.0
        self._load = self._traffic()
        self.missing = self._missing()

    @property
    def expected(self) -> Expected | None:
        subjects = {
            "latency": ("trend", "latency"),
            "error_rate": ("trend", "error_rate"),
            "utilisation": ("trend", "cpu"),
            "throughput": ("trend", "throughput"),
            "cache": ("cache", "page_cache"),
            "uncached": ("cache", "exchange_rates"),
            "n_plus_one": ("n_plus_one", "FROM item WHERE"),
            "redundant_call": ("redundant_call", "load_profile"),
            "slow_function": ("slow_function", "rank"),
            "recurring_error": ("error_pattern", "KeyError"),
            "timeout": ("timeout", "timed out"),
            "slow_call": ("timeout", "fetch_report"),
            "connection": ("connection", "ConnectionRefusedError"),
            "api": ("api", "HTTPError"),
        }
        return Expected(subjects[self.fault][0], self.broken, subjects[self.fault][1]) if self.fault else None

    def series(self) -> Iterator[tuple[str, str, str, Floats]]:
        """component, series, unit, and a value for each minute; NaN where none is told."""
        rng = self._rng
        hour = slice(-60, None)
        for component in COMPONENTS:
            scale = float(rng.lognormal(0, 0.6))
            rate = 4 * scale * self._load * rng.lognormal(0, 0.06, MINUTES) * self._steps(0.0)
            requests = np.maximum(rng.poisson(np.maximum(rate, 0.01) * 60), 1)
            base = 0.03 * float(rng.lognormal(0, 0.7)) * (1 + 0.35 * self._load**1.5) * self._steps(0.06)
            # the mean of skewed values, and now and then a minute ten times as slow
            latency = (
                base * rng.lognormal(0, 0.8 / np.sqrt(requests / 4)) * np.where(rng.random(MINUTES) < 0.002, 10, 1)
            )
            errors = rng.binomial(requests, min(0.004 * float(rng.lognormal(0, 0.5)), 0.02)) / requests
            cpu = np.clip(0.12 + 0.38 * self._load * self._steps(0.05) + rng.normal(0, 0.03, MINUTES), 0.01, 0.74)
            if component == self.broken and self.fault == "latency":
                latency[hour] *= rng.uniform(1.6, 2.5)
            if component == self.broken and self.fault == "error_rate":
                errors[hour] = np.minimum(errors[hour] + rng.uniform(0.03, 0.1), 1)
            if component == self.broken and self.fault == "utilisation":
                cpu[hour] = np.clip(rng.normal(0.9, 0.02, 60), 0, 1)
            if component == self.broken and self.fault == "throughput":
                rate[hour] *= rng.uniform(0.2, 0.5)
            yield component, "latency", "s", latency
            yield component, "error_rate", "1", errors
            yield component, "cpu_utilisation", "1", cpu
            yield component, "throughput", "1/s", rate
            yield component, "queue_depth", "", rng.poisson(3 * self._load).astype(float)

    def minute_points(self) -> Iterator[MetricPoint]:
        for component, series, unit, values in self.series():
            for at, value, missing in zip(self.times, values, self.missing, strict=True):
                if not missing:
                    yield MetricPoint(series=series, component=component, unit=unit, at=float(at), value=float(value))

    def last_hours(self, requests: int = 240) -> Iterator[Telemetry]:
        """Traces, logs and counters of the last hour."""
        rng = self._rng
        for component in COMPONENTS:
            broken = self.fault if component == self.broken else ""
            for number in range(requests):
                at = self.now - 3600 + 3600 * (number + float(rng.random())) / requests
                yield from self._request(component, f"{component}-{number}", at, broken)
            yield from self._logs(component, broken)
            hit = rng.uniform(0.05, 0.35) if broken == "cache" else rng.uniform(0.62, 0.95)
            for minute in range(60):
                asked = int(rng.poisson(30))
                hits = int(rng.binomial(asked, hit))
                told = {"component": component, "at": self.now - 3600 + 60 * minute + 20}
                yield MetricPoint(series="page_cache_hits", value=hits, **told)  # type: ignore[arg-type]
                yield MetricPoint(series="page_cache_misses", value=asked - hits, **told)  # type: ignore[arg-type]
        yield Deployment(at=self.now - float(rng.uniform(1, 100)) * 3600, component="web", revision="r41")

    def _request(self, component: str, trace: str, at: float, broken: str) -> Iterator[Telemetry]:
        rng = self._rng
        spent = 0.0

        def part(function: str, duration: float, **rest: object) -> Completion:
            nonlocal spent
            spent += duration
            return Completion(
                at=at + spent, component=component, function=function, duration_s=duration, trace_id=trace,
                caller="handle", file="app.py", **rest,
            )  # type: ignore[arg-type]  # fmt: skip

        queries = int(rng.integers(8, 40)) if broken == "n_plus_one" else int(rng.integers(1, 4))
        for _ in range(queries):
            yield part("execute", float(rng.lognormal(-6, 0.5)), operation="query",
                       statement=f"SELECT name FROM item WHERE id = {rng.integers(1, 100_000)}")  # fmt: skip
        yield part("execute", float(rng.lognormal(-6, 0.5)), operation="query",
                   statement="SELECT count(*) FROM basket WHERE user = ?", arguments=trace)  # fmt: skip
        for _ in range(3 if broken == "redundant_call" or rng.random() < 0.01 else 1):
            yield part("load_profile", float(rng.lognormal(-5, 0.4)), arguments=f"user {trace}")
        n = int(rng.integers(20, 400))
        growth = 3e-7 * n**2 if broken == "slow_function" else 2e-5 * n * np.log(n) / 6
        yield part("rank", float(growth * rng.lognormal(0, 0.25) + 2e-4), size=n)
        argument = int(rng.zipf(1.5)) % 12 if broken == "uncached" else int(rng.integers(1, 10**9))
        yield part("exchange_rates", float(rng.lognormal(-4.2, 0.3)), arguments=f"day {argument}")
        slow = broken == "slow_call" and rng.random() < 0.15
        yield part("fetch_report", 5.5 if slow else float(rng.lognormal(-5, 0.6)), operation="call")
        spent += float(rng.lognormal(-4, 0.3))
        yield Completion(at=at + spent, component=component, function="handle", operation="request",
                         duration_s=spent, trace_id=trace, file="app.py", ok=bool(rng.random() > 0.004))  # fmt: skip

    def _logs(self, component: str, broken: str) -> Iterator[Telemetry]:
        rng = self._rng
        for _ in range(40):
            yield self._line(component, "info", f"served {rng.integers(1, 999)} items to user u{rng.integers(1, 9999)}")
        # errors that happen in a service that is well: few, of several kinds
        for number in range(int(rng.integers(0, 9))):
            kind = ("ValueError", "TimeoutError", "KeyError")[number % 3]
            yield self._line(component, "error", f"bad input {rng.integers(1, 10**6)} of form {number % 3}", kind)
        planted = {
            "recurring_error": ("KeyError", "no price for article {n} in list {m}"),
            "timeout": ("TimeoutError", "call to stock service timed out after {n} ms"),
            "connection": ("ConnectionRefusedError", "connection refused by 10.0.{m}.{m}:{n}"),
            "api": ("HTTPError", "status 502 from https://partner.example/v1/{n}"),
        }
        if broken in planted:
            kind, text = planted[broken]
            for _ in range(int(rng.integers(14, 60))):
                message = text.format(n=rng.integers(1, 10_000), m=rng.integers(1, 250))
                yield self._line(component, "error", message, kind)

    def _line(self, component: str, level: str, message: str, error_type: str = "") -> LogLine:
        at = self.now - float(self._rng.uniform(1, 3590))
        return LogLine(at=at, level=level, component=component, message=message, error_type=error_type)  # type: ignore[arg-type]

    def _traffic(self) -> Floats:
        """About 0.25 at night to 1 at noon, less at weekends."""
        day = (self.times % 86400) / 86400
        weekday = ((self.times // 86400).astype(int) + 4) % 7
        wave = 0.6 - 0.35 * np.cos(2 * np.pi * (day - 0.1)) + 0.05 * np.cos(4 * np.pi * day)
        weekend = np.where((weekday == 0) | (weekday == 6), self._rng.uniform(0.5, 0.9), 1.0)
        days = self._rng.lognormal(0, 0.03, 16)[((self.times - self.times[0]) // 86400).astype(int)]
        smooth = np.convolve(weekend, np.ones(180) / 180, mode="same")
        smooth[:90], smooth[-90:] = weekend[:90], weekend[-90:]
        traffic: Floats = wave * smooth * days
        return traffic

    def _steps(self, size: float) -> Floats:
        """A deployment somewhere in the week changes the level by about `size`."""
        level = np.ones(MINUTES)
        level[int(self._rng.integers(600, MINUTES - 600)) :] *= 1 + float(self._rng.normal(0, size))
        return level

    def _missing(self) -> npt.NDArray[np.bool_]:
        """Single minutes, and a few hours in which nothing was told; never most of the last hour."""
        missing = self._rng.random(MINUTES) < 0.01
        for _ in range(int(self._rng.integers(0, 4))):
            begin = int(self._rng.integers(0, MINUTES - 400))
            missing[begin : begin + int(self._rng.integers(10, 240))] = True
        return missing
