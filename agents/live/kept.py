"""Everything that is known of a service: its series by the minute, and the sums of its events and logs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from agents.live.intake import KEPT_S
from agents.live.tallies import Tallies
from core.telemetry import (
    AlarmTransition,
    Completion,
    Deployment,
    LogLine,
    MetricPoint,
    Telemetry,
    TelemetryGap,
    parse_telemetry,
)
from memory.windows.store import Added, MinuteWindows

__all__ = ["REQUEST_DURATION", "REQUEST_FAILED", "Kept"]

REQUEST_DURATION = "requests.duration"
REQUEST_FAILED = "requests.failed"
"""Series made of the completions of requests, for services that tell traces only."""


class Kept:
    """Takes records in any order.  What two of these hold of one service adds up."""

    def __init__(self) -> None:
        self.windows = MinuteWindows()
        self.tallies = Tallies(KEPT_S)
        self.aside: Counter[str] = Counter()
        """What was set aside, by reason."""
        self.positions: dict[str, Any] = {}
        """How far each source was read, in its own terms."""

    def take(self, records: Iterable[Telemetry], batch: Mapping[str, Any]) -> None:
        """Records of a batch, with what it says of them: aside, log_weight, position."""
        added = self.add(records, batch["log_weight"])
        self.aside.update(batch["aside"])
        if added.late:
            self.aside["late"] += added.late
        if added.refused:
            self.aside["too_many_series"] += added.refused
        if batch["position"] is not None:
            source, where = batch["position"]
            self.positions[source] = where

    def replay(self, batch: Mapping[str, Any]) -> list[Telemetry]:
        """A batch as a journal has it; its records."""
        records = [parse_telemetry(one) for one in batch["records"]]
        self.take(records, batch)
        return records

    def add(self, records: Iterable[Telemetry], log_weight: float = 1.0) -> Added:
        points: list[MetricPoint] = []
        for one in records:
            if isinstance(one, MetricPoint):
                points.append(one)
                self.tallies.newest = max(self.tallies.newest, one.at)
            elif isinstance(one, LogLine):
                self.tallies.line(one, log_weight)
            elif isinstance(one, Completion):
                self.tallies.completion(one)
                if one.operation == "request":
                    points.extend(_request_points(one))
            elif isinstance(one, AlarmTransition | Deployment | TelemetryGap):
                self.tallies.note(one)
        return self.windows.add(points)

    def dump(self) -> dict[str, Any]:
        """As arrays; `merge` adds them to another."""
        tallies = self.tallies.dump() | {"aside": dict(self.aside), "positions": self.positions}
        return self.windows.dump() | {
            "tallies": np.frombuffer(json.dumps(tallies, ensure_ascii=False).encode(), dtype=np.uint8),
            "newest": np.int64(self.tallies.newest // 60),
        }

    def merge(self, told: Mapping[str, Any]) -> None:
        """Add what `dump` gave; of a damaged segment there is nothing to add."""
        if "facts" in told:
            self.windows.merge(told)
            tallies = json.loads(bytes(told["tallies"]))
            self.tallies.merge(tallies)
            self.aside.update(tallies["aside"])
            self.positions |= tallies["positions"]


def _request_points(one: Completion) -> tuple[MetricPoint, MetricPoint]:
    failed = float(not one.ok or bool(one.error_type))
    common = {"component": one.component, "at": one.at}
    return (
        MetricPoint(series=REQUEST_DURATION, unit="s", measure="latency", value=one.duration_s, **common),
        MetricPoint(series=REQUEST_FAILED, unit="1", measure="error_rate", value=failed, **common),
    )
