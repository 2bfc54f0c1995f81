"""What is taken of telemetry, and what is set aside and counted: never a silent loss, never a number that is none.

Secrets and values of queries are left out before anything is kept.  Logs are sampled by their content, so the same
lines are kept whenever they are told.  Events told twice within the window are one event.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from agents.live.privacy import private
from core.telemetry import AlarmTransition, Completion, Deployment, LogLine, MetricPoint, Telemetry, TelemetryGap

__all__ = ["FUTURE_S", "KEPT_S", "Intake"]

FUTURE_S = 60.0
"""Clocks differ; what is later than this after now was not measured yet."""
KEPT_S = (7 * 24 + 2) * 3600.0
MAX_SEEN = 200_000


class Intake:
    """Sorts records: those to keep, and those set aside: not_finite, future, old, repeated, sampled_out."""

    def __init__(self, sampling_rate: float = 1.0, window_s: float = 300.0) -> None:
        self.sampling_rate = sampling_rate
        self.window_s = window_s
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._before: list[tuple[str, float | None]] = []

    def take(self, records: Iterable[Telemetry], now: float) -> tuple[list[Telemetry], Counter[str]]:
        """Those to keep, in the order they came, and how many were set aside, by reason."""
        kept: list[Telemetry] = []
        aside: Counter[str] = Counter()
        self._before = []
        for told in records:
            is_line = isinstance(told, LogLine)  # sampled by what was said, not by what is left of it
            one = told if is_line else private(told)
            reason = self._against(one, now)
            if reason:
                aside[reason] += 1
            else:
                kept.append(private(one) if is_line else one)
        return kept, aside

    def undo(self) -> None:
        """Forget the events of the last `take`: they could not be kept, and may be told again."""
        for key, at in reversed(self._before):
            if at is None:
                self._seen.pop(key, None)
            else:
                self._seen[key] = at
        self._before = []

    def dump(self, newest: float) -> dict[str, Any]:
        """The events that may still be repeated, as an array; `recall` takes it."""
        seen = {key: at for key, at in self._seen.items() if newest - at < self.window_s}
        return {"seen": np.frombuffer(json.dumps(seen, ensure_ascii=False).encode(), dtype=np.uint8)}

    def recall(self, told: Mapping[str, Any]) -> None:
        if "seen" in told:
            for key, at in json.loads(bytes(told["seen"])).items():
                self._note(key, at)
            self._before = []

    def remember(self, records: Iterable[Telemetry]) -> None:
        """Events that were taken by an earlier process: told again, they are repeated."""
        for one in records:
            if isinstance(one, AlarmTransition | Completion | Deployment):
                self._note(_event_key(one), one.at)
        self._before = []

    def _against(self, one: Telemetry, now: float) -> str:
        at = one.end if isinstance(one, TelemetryGap) else one.at
        if not math.isfinite(at):
            return "not_finite"
        if isinstance(one, TelemetryGap):
            return ""
        if isinstance(one, MetricPoint) and not math.isfinite(one.value):
            return "not_finite"
        if at > now + FUTURE_S:
            return "future"
        if at < now - KEPT_S:
            return "old"
        if isinstance(one, LogLine):
            return "" if self._sampled(one) else "sampled_out"
        if isinstance(one, MetricPoint):
            return ""
        key = _event_key(one)
        last = self._seen.get(key)
        if last is not None and abs(one.at - last) < self.window_s:
            return "repeated"
        self._note(key, one.at)
        return ""

    def _sampled(self, line: LogLine) -> bool:
        if self.sampling_rate >= 1:
            return True
        text = f"{line.at!r}\0{line.component}\0{line.trace_id}\0{line.message}"
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest()) / 2**56 < self.sampling_rate

    def _note(self, key: str, at: float) -> None:
        self._before.append((key, self._seen.get(key)))
        self._seen[key] = at
        self._seen.move_to_end(key)
        while len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)


def _event_key(one: AlarmTransition | Completion | Deployment) -> str:
    """Equal for what is one event: by the sender's id, else by alarm and state, revision, or the whole completion."""
    if one.id:
        return f"{one.kind}\0{one.component}\0{one.id}"
    if isinstance(one, AlarmTransition):
        return f"alarm\0{one.component}\0{one.alarm}\0{one.after}"
    if isinstance(one, Deployment):
        return f"deployment\0{one.component}\0{one.revision}"
    return (
        f"completion\0{one.component}\0{one.function}\0{one.at!r}\0{one.duration_s!r}\0{one.trace_id}\0{one.arguments}"
    )
