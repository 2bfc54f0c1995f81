"""Metrics: read from the lines a job prints and from the `metrics.json` it may write."""

from __future__ import annotations

import json
import math
import re
import signal
from collections.abc import Iterable, Mapping
from types import FrameType

from runtime.keeper.files import read_regular

TYPE_CHECKING = False  # importing typing costs a tenth of the start
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Metrics", "Report", "StopRule", "read_metrics_file"]

MAX_METRICS = 200
MAX_NAME_CHARACTERS = 100
FILE_LIMIT_BYTES = 1024 * 1024
PATTERN_TIME_S = 0.25

Report = tuple[int | None, dict[str, float]]
"""One line's step, None where it has none, and its metrics."""


class Metrics:
    """The latest value of every metric printed so far, and how many lines carried a `step`."""

    def __init__(self, patterns: Mapping[str, str]) -> None:
        self._patterns = {name: re.compile(pattern) for name, pattern in patterns.items()}
        self.latest: dict[str, float] = {}
        self.steps = 0
        self.slow_patterns: list[str] = []

    def read(self, line: bytes) -> Report | None:
        """What `line` reports, or None when it is not about metrics."""
        text = line.decode("utf-8", "replace").strip()
        found = _from_object(text) if text.startswith("{") else None
        if found is None:
            found = self._from_text(text)
        if found is None:
            return None
        step, metrics = found
        self.steps += step is not None
        self.merge(metrics)
        return found

    def merge(self, metrics: Mapping[str, float]) -> None:
        """`metrics` override what was there.  New names beyond `MAX_METRICS` are dropped."""
        for name, value in metrics.items():
            if name in self.latest or len(self.latest) < MAX_METRICS:
                self.latest[name] = value

    def split(self, required: Iterable[str]) -> tuple[dict[str, float], dict[str, float]]:
        """(metrics, noise): `<metric>_se` is the standard error of `<metric>`, unless it is itself required."""
        wanted = set(required)
        errors = {
            name for name in self.latest.keys() - wanted if name.endswith("_se") and name[: -len("_se")] in self.latest
        }
        noise = {name.removesuffix("_se"): self.latest[name] for name in errors}
        return (
            {name: value for name, value in self.latest.items() if name not in errors},
            {name: value for name, value in noise.items() if math.isfinite(value) and value >= 0},
        )

    def _from_text(self, text: str) -> Report | None:
        values = {}
        for name in list(self._patterns):
            value = self._search(name, text)
            if value is not None:
                values[name] = value
        return _report(values) if values else None

    def _search(self, name: str, text: str) -> float | None:
        """The number that a pattern finds.  A pattern that takes too long on a line is not tried again."""
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, PATTERN_TIME_S)
                match = self._patterns[name].search(text)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except _TooLong:
            del self._patterns[name]
            self.slow_patterns.append(name)
            return None
        try:
            return float(match[1]) if match else None
        except (IndexError, TypeError, ValueError):
            return None


class _TooLong(Exception):  # noqa: N818 -- control flow, not an error
    pass


def interrupt_search(_number: int, _frame: FrameType | None) -> None:
    """The handler of SIGALRM: the regular expression engine looks for signals and lets this through."""
    raise _TooLong


class StopRule:
    """Ends a job whose metric, at one of the given steps, is worse than the threshold there."""

    def __init__(self, metric: str, goal: str, thresholds: Mapping[str, float]) -> None:
        self.metric = metric
        self._sign = 1.0 if goal == "maximize" else -1.0
        self._thresholds = {int(step): value for step, value in thresholds.items()}

    def judge(self, report: Report) -> tuple[str, str, str] | None:
        """(status, cause, reason) when the job is to be ended, else None."""
        step, metrics = report
        if step is None or step not in self._thresholds or self.metric not in metrics:
            return None
        value, threshold = metrics[self.metric], self._thresholds[step]
        if not math.isfinite(value):
            return "failed", "not_finite", f"{self.metric} is {value} at step {step}"
        if self._sign * value >= self._sign * threshold:
            return None
        return "stopped", "", f"{self.metric} is {value:.6g} at step {step}, worse than {threshold:.6g}"


def read_metrics_file(directory: int, name: str = "metrics.json") -> dict[str, float]:
    """The metrics of the file; none when there is no file.  Raises ValueError with what is wrong with it."""
    content = read_regular(directory, name, FILE_LIMIT_BYTES)
    if content is None:
        return {}
    found = _from_object(content.decode("utf-8", "replace"))
    if found is None:
        raise ValueError(f"{name} is not a JSON object with numbers")
    return found[1]


def _from_object(text: str) -> Report | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return _report(value) if isinstance(value, dict) else None


def _report(values: Mapping[str, Any]) -> Report | None:
    """The numbers among `values`; whatever else is there is left out, key by key."""
    metrics = {}
    for name, value in values.items():
        number = _number(value)
        if number is not None and 0 < len(name) <= MAX_NAME_CHARACTERS and name.isprintable():
            metrics[name] = number
    step = metrics.pop("step", None)
    whole = int(step) if step is not None and math.isfinite(step) and step == int(step) else None
    return (whole, metrics) if metrics or whole is not None else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
