"""What may be said of a deployment after each window of its watch.

    degraded       at once: health checks that fail in a row, or a storm of errors
                   at any look: the interval of a measure holds only losses, and its estimate passes the threshold
                   at the end: the interval for a single look holds only losses, and the threshold is in it
    unknown        at the end: less than half of a measure that the history has was seen
    healthy        at the end: that interval ends below the threshold, for every measure
    cannot tell    at the end, otherwise

The first intervals hold at all looks at once (`search.step`, `search.error_step`); the end is one look of its own.  So
a version that changes nothing is rolled back with probability of at most (1 − level)/2 + 0.0002 for each measure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from core.deployment import HealthReading
from core.watch import Measure, ServiceReading, Shift, WatchAnswer, WatchLevel, WatchRules, WatchVerdict
from search.degradation import degradation, service_level
from search.error_step import ErrorTest
from search.step import Step, StepTest

__all__ = ["DeploymentWatch"]

Windows = Sequence[ServiceReading | None]
Test = Callable[[Sequence[ServiceReading]], Step]
"""How much worse, relative, over the windows since the deployment."""
LEAST_MS = 1e-3


class DeploymentWatch:
    """The judge of one deployment, from what the service was like before."""

    def __init__(self, history: Windows, rules: WatchRules, *, share: float = 1.0) -> None:
        """`history`: the windows before the deployment, oldest first; of the same length as those of the watch.

        For a canary, `share` is its part of the requests, and the windows to judge are those of the canary alone.
        """
        self.rules = rules
        self._share = share
        self._history = [reading for reading in history if reading is not None and reading.seen]
        last = self._history[-1].at if self._history else 0.0
        recent = [
            reading for reading in self._history if reading.at > last - max(rules.duration_s, 5 * rules.interval_s)
        ]
        self.baseline = service_level(recent)
        self._tests = self._fitted()

    def judge(self, readings: Windows, health: Sequence[HealthReading] = (), now: float = 0.0) -> WatchVerdict:
        """`readings`: every window since the deployment, None for a gap; `health`: every check since."""
        seen = [reading for reading in readings if reading is not None and reading.seen]
        final = self._whole(service_level(seen))
        at_once = self._at_once(seen, health)
        shifts = [] if at_once else self._shifts(seen)
        answer, reason = ("degraded", at_once) if at_once else self._answer(len(readings), shifts)
        return WatchVerdict.model_validate(
            {
                "answer": answer,
                "reason": reason,
                "at": now,
                "windows": len(readings),
                "unknown": len(readings) - len(seen),
                "degradation": degradation(self.baseline, final),
                "shifts": tuple(shift for shift in shifts if math.isfinite(shift.estimate)),
                "at_once": bool(at_once),
                "baseline": self.baseline,
                "final": final,
            }
        )

    def _fitted(self) -> dict[Measure, Test]:
        """The test of each measure that the history has enough windows of."""
        tests: dict[Measure, Test] = {}
        if test := self._step_test(_log_latency, math.expm1):
            tests["latency"] = test
        counted = [reading for reading in self._history if reading.errors is not None and reading.requests]
        if len(counted) >= self.rules.least_history:
            tests["errors"] = partial(_errors, ErrorTest(*_counts(counted)), self.rules.level)
        if test := self._step_test(_log_interval, _lost, math.log(self._share)):
            tests["throughput"] = test
        return tests

    def _step_test(
        self, value: Callable[[ServiceReading], float], worse: Callable[[float], float], part: float = 0.0
    ) -> Test | None:
        """`part`: what is added to the watched values, to be as those of all requests."""
        values = [value(reading) for reading in self._history]
        if sum(map(math.isfinite, values)) < self.rules.least_history:
            return None
        times = [reading.at for reading in self._history]
        test = StepTest(times, values, spacing_s=self.rules.interval_s, watched=self.rules.windows)

        def answer(seen: Sequence[ServiceReading]) -> Step:
            times, values = [reading.at for reading in seen], [value(reading) + part for reading in seen]
            return test.step(times, values, level=self.rules.level, share=self._share).through(worse)

        return answer

    def _whole(self, level: WatchLevel) -> WatchLevel:
        """As if all requests had been its own."""
        throughput = None if level.throughput is None else level.throughput / self._share
        return level.model_copy(update={"throughput": throughput})

    def _at_once(self, seen: Sequence[ServiceReading], health: Sequence[HealthReading]) -> str:
        """Why it goes back without any statistics; empty when it does not."""
        rules = self.rules
        latest = health[-rules.unhealthy_checks :]
        if len(latest) == rules.unhealthy_checks and all(check.answer == "unhealthy" for check in latest):
            return f"{len(latest)} health checks in a row failed: {latest[-1].reason}"
        storm = max(rules.storm_rate, 3 * (self.baseline.error_rate or 0.0))
        for reading in seen:
            if reading.errors and reading.requests and reading.requests >= rules.storm_requests:
                rate = reading.errors / reading.requests
                if rate >= min(storm, 1.0):
                    return f"{rate:.0%} of {reading.requests} requests of one window failed"
        return ""

    def _shifts(self, seen: Sequence[ServiceReading]) -> list[Shift]:
        if not seen:
            return []
        steps = [(measure, test(seen)) for measure, test in self._tests.items()]
        return [
            Shift(
                measure=measure,
                estimate=step.estimate,
                low=step.low,
                high=step.high,
                last_low=step.last_low,
                last_high=step.last_high,
                windows=step.windows,
                noise_factor=max(1.0, step.noise_factor),
            )
            for measure, step in steps
        ]

    def _answer(self, windows: int, shifts: Sequence[Shift]) -> tuple[WatchAnswer, str]:
        rules, over = self.rules, windows >= self.rules.windows
        for shift in shifts:
            if shift.windows >= rules.least_windows and shift.low > 0 and shift.estimate > rules.threshold:
                return "degraded", _told(shift)
        if not over:
            return "continue", f"{windows} of {rules.windows} windows"
        if not self._tests:
            return "cannot tell", f"the history has fewer than {rules.least_history} windows"
        unseen = [measure for measure in self._tests if 2 * _windows_of(measure, shifts) < rules.windows]
        if unseen:
            return "unknown", f"less than half of the windows were seen of: {', '.join(unseen)}"
        for shift in shifts:
            if over and shift.last_low > 0 and shift.last_high >= rules.threshold:
                return "degraded", _told(shift)
        wide = [shift for shift in shifts if not shift.last_high < rules.threshold]
        if wide:
            return "cannot tell", "; ".join(_told(shift) for shift in wide)
        return "healthy", f"no measure is worse by {rules.threshold:.0%} or more"


def _errors(test: ErrorTest, level: float, seen: Sequence[ServiceReading]) -> Step:
    return test.step(*_counts(seen), level=level)


def _counts(readings: Sequence[ServiceReading]) -> tuple[list[float], list[float]]:
    unknown = math.nan
    errors = [unknown if reading.errors is None else float(reading.errors) for reading in readings]
    return errors, [unknown if reading.requests is None else float(reading.requests) for reading in readings]


def _log_latency(reading: ServiceReading) -> float:
    return math.nan if reading.p95_ms is None else math.log(max(reading.p95_ms, LEAST_MS))


def _log_interval(reading: ServiceReading) -> float:
    """Of the time between two requests: it rises as throughput falls.  No request at all counts as half a one."""
    return math.nan if reading.requests is None else math.log(reading.seconds / max(reading.requests, 0.5))


def _lost(step: float) -> float:
    """The share of the throughput that a step of the logarithmic interval costs."""
    return -math.expm1(-step)


def _windows_of(measure: Measure, shifts: Sequence[Shift]) -> int:
    return next((shift.windows for shift in shifts if shift.measure == measure), 0)


def _told(shift: Shift) -> str:
    if math.isnan(shift.estimate):
        return f"{shift.measure}: too few were seen"
    word = "worse" if shift.estimate >= 0 else "better"
    return (
        f"{shift.measure} {word} by {abs(shift.estimate):.1%} [{shift.low:+.1%}, {shift.high:+.1%}; above 0 is worse]"
    )
