"""Many series by the minute, in memory: adding points, reading windows, and giving all of it as a few arrays."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.telemetry import Measure, MetricPoint, base_unit, measure_of
from memory.windows.rings import Ring

__all__ = ["Added", "MinuteWindows", "SeriesFacts"]

MAX_SERIES = 1_000
CELLS = ("count", "total", "low", "high")


@dataclass(frozen=True)
class SeriesFacts:
    """What a series is.  `unit` is the base unit its values are kept in."""

    key: str
    series: str
    component: str
    unit: str
    measure: Measure


@dataclass(frozen=True)
class Added:
    """What became of points: taken, `late` for their ring, `refused` because there are too many series."""

    taken: int = 0
    late: int = 0
    refused: int = 0


class MinuteWindows:
    """Rings by series key.  At most `max_series`: labels that never repeat must not fill the memory."""

    def __init__(self, max_series: int = MAX_SERIES) -> None:
        self.max_series = max_series
        self.facts: dict[str, SeriesFacts] = {}
        self._rings: dict[str, Ring] = {}

    def add(self, points: Iterable[MetricPoint]) -> Added:
        """Take points with finite values and times."""
        grouped: dict[str, list[MetricPoint]] = {}
        for point in points:
            grouped.setdefault(point.key, []).append(point)
        taken = late = refused = 0
        for key, members in grouped.items():
            ring = self._ring(key, _facts(key, members[0]))
            if ring is None:
                refused += len(members)
                continue
            at = np.array([one.at for one in members], dtype=np.float64)
            values = np.array([one.value * base_unit(one.unit)[1] for one in members], dtype=np.float64)
            missed = ring.add(at, values)
            late += missed
            taken += len(members) - missed
        return Added(taken, late, refused)

    def ring(self, key: str) -> Ring:
        """Raises KeyError for a series nobody told of."""
        return self._rings[key]

    def dump(self) -> dict[str, Any]:
        """Everything as arrays, one row a minute that holds something; `merge` adds it to other windows."""
        parts = [ring.dump() for ring in self._rings.values()]
        lengths = [part["minutes"].size for part in parts]
        told: dict[str, Any] = {
            name: _joined([part[name] for part in parts])
            for name in ("minutes", *CELLS, "rows", "buckets", "histogram")
        }
        told["lengths"] = np.array(lengths, dtype=np.int32)
        told["entries"] = np.array([part["rows"].size for part in parts], dtype=np.int64)
        told["bases"] = np.array([part["base"] for part in parts], dtype=np.float64)
        told["facts"] = np.frombuffer(
            json.dumps([vars(self.facts[key]) for key in self._rings]).encode(), dtype=np.uint8
        )
        return told

    def merge(self, told: Mapping[str, Any]) -> None:
        """Add what `dump` gave."""
        facts = [SeriesFacts(**one) for one in json.loads(bytes(told["facts"]))]
        row = entry = 0
        for place, one in enumerate(facts):
            rows, entries = int(told["lengths"][place]), int(told["entries"][place])
            ring = self._ring(one.key, one)
            if ring is not None:
                part = {name: told[name][row : row + rows] for name in ("minutes", *CELLS)}
                part |= {name: told[name][entry : entry + entries] for name in ("rows", "buckets", "histogram")}
                ring.merge(part | {"base": told["bases"][place]})
            row, entry = row + rows, entry + entries

    def _ring(self, key: str, facts: SeriesFacts) -> Ring | None:
        ring = self._rings.get(key)
        if ring is None and len(self._rings) < self.max_series:
            self.facts[key] = facts
            ring = self._rings[key] = Ring()
        return ring


def _facts(key: str, point: MetricPoint) -> SeriesFacts:
    measure = point.measure or measure_of(point.series, point.unit)
    return SeriesFacts(key, point.series, point.component, base_unit(point.unit)[0], measure)


def _joined(arrays: list[Any]) -> Any:
    return np.concatenate(arrays) if arrays else np.zeros(0, np.uint8)
