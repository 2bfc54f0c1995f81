"""Takes the telemetry of a service in, keeps a week of it, and tells what is wrong and worth improving.

    engine = LearningEngine(folder)
    engine.ingest_telemetry(records)
    engine.analyse(window_hours=24).opportunities

A batch is on the disk before it counts; after a restart, or kill -9, the engine goes on where it was.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from agents.live.analysis import Analysis
from agents.live.findings import FINDERS, View
from agents.live.gaps import silences
from agents.live.intake import KEPT_S, Intake
from agents.live.kept import REQUEST_DURATION, REQUEST_FAILED, Kept
from core.errors import StorageError
from core.ids import Clock, system_clock
from core.improvement import ImprovementSettings, ServiceLevel
from core.telemetry import AlarmTransition, Health, Telemetry, TelemetryGap, parse_telemetry
from memory.windows.files import WindowFiles
from search.error_clusters import ErrorCluster, clusters
from search.impact import in_order
from search.trends import BASELINE_MINUTES, HOUR, Trend, trend

__all__ = ["Ingested", "LearningEngine"]

logger = logging.getLogger(__name__)
RETRY_S = 60.0
JOURNAL_BYTES = 24 * 1024 * 1024
"""A journal that long becomes a segment: reading it again takes some seconds."""
JOURNAL_S = 3600.0
HOUR_S = 3600.0


@dataclass(frozen=True)
class Ingested:
    """What became of records: `taken`, and how many were set `aside`, by reason."""

    taken: int = 0
    aside: dict[str, int] = field(default_factory=dict)


class LearningEngine:
    """The telemetry of one service, or of one tenant's.

    Without a folder nothing outlives the process.  May be used from several threads.  Raises BusyError when another
    process has the folder, StorageError when it cannot be written; what was not kept is then not counted either.
    """

    def __init__(
        self,
        folder: Path | None = None,
        settings: ImprovementSettings | None = None,
        *,
        clock: Clock = system_clock,
        tenant_id: str = "",
        journal_bytes: int = JOURNAL_BYTES,
    ) -> None:
        self.settings = settings or ImprovementSettings()
        self.tenant_id = tenant_id
        self._clock = clock
        self._journal_bytes = journal_bytes
        self._lock = threading.RLock()
        self._kept = Kept()
        self._intake = Intake(self.settings.log_sampling_rate, self.settings.event_dedup_window_s)
        self._sealed_at = clock()
        self._retry_at = 0.0
        self._files = None if folder is None else WindowFiles(folder)
        if self._files is not None:
            for told in self._files.segments():
                self._kept.merge(told)
                self._intake.recall(told)
            for batch in self._files.batches():
                self._intake.remember(self._kept.replay(batch))

    def ingest_telemetry(
        self,
        records: Iterable[Telemetry | Mapping[str, Any]],
        *,
        position: tuple[str, Any] | None = None,
        aside: Mapping[str, int] | None = None,
    ) -> Ingested:
        """Take records in; dictionaries are read as records by their `kind`.  `aside`: what the source set aside.

        `position` is a source and how far it was read with these, as JSON data: kept in one step with them, so that
        nothing is taken twice or lost when the process is killed between.  Raises StorageError when they cannot be
        kept: then none of them is, and they may be given again.
        """
        with self._lock:
            now, before = self._clock(), self._kept.aside.copy()
            taken = self._take(list(records), now, position, aside or {})
            try:
                self._maintain(now)
            except StorageError as error:  # the batch itself is kept
                self._retry_at = now + RETRY_S
                logger.warning("the journal goes on, because it cannot become a segment: %s", error)
            return Ingested(taken, dict(self._kept.aside - before))

    def position(self, source: str) -> Any:
        """How far `source` was read; None when never."""
        with self._lock:
            return self._kept.positions.get(source)

    def analyse(self, now: float | None = None, window_hours: float = 24.0) -> Analysis:
        """What the last `window_hours` up to `now` tell.  Nothing is changed by looking."""
        with self._lock:
            end = self._clock() if now is None else now
            begin = end - window_hours * HOUR_S
            tallies = self._kept.tallies
            trends, unknown = self._trends(end)
            found = clusters(tallies.errors(begin, end), tallies.errors(end - HOUR_S, end), end)
            view = View(self._kept, begin, end, trends, found, self.tenant_id)
            opportunities = [one for finder in FINDERS for one in finder(view)]
            gaps = self._gaps(begin, end)
            unknown += view.unknown
            unknown += [f"{gap.source}: {gap.reason} for {(gap.end - gap.begin) / 60:.0f} minutes" for gap in gaps]
            if not tallies.lines(end - HOUR_S, end) and tallies.lines(end - KEPT_S, end - HOUR_S):
                unknown.append("logs: no line in the last hour, so errors are unknown")
            return Analysis(
                begin=begin,
                end=end,
                tenant_id=self.tenant_id,
                trends=trends,
                clusters=found,
                opportunities=in_order(opportunities),
                gaps=tuple(gaps),
                alarms=self._alarms(end),
                unknown=tuple(dict.fromkeys(unknown)),
                health=_health(trends, found, view),
                counts={
                    "series": len(self._kept.windows.facts),
                    "requests": round(sum(one.calls for one in view.requests.values())),
                    "completions": round(sum(one.calls for one in view.functions.values())),
                    "log_lines": round(tallies.lines(begin, end)),
                    "errors": round(sum(one.count for one in found)),
                },
                set_aside=dict(self._kept.aside),
            )

    def service_level(self, component: str, seconds: float, now: float | None = None) -> ServiceLevel:
        """How well a component served its requests in the last `seconds`, rounded up to begin with a whole minute."""
        with self._lock:
            end_at = self._clock() if now is None else now
            begin, end = math.floor((end_at - seconds) / 60), math.ceil(end_at / 60)
            measured = end_at - begin * 60
            keys = {f.series: key for key, f in self._kept.windows.facts.items() if f.component == component}
            if REQUEST_DURATION not in keys:
                return ServiceLevel(seconds=measured, at=end_at)
            ring = self._kept.windows.ring(keys[REQUEST_DURATION])
            failed = self._kept.windows.ring(keys[REQUEST_FAILED]).minutes(begin, end)
            requests = int(ring.minutes(begin, end).count.sum())
            return ServiceLevel(
                p50_s=ring.quantile(0.50, begin, end),
                p95_s=ring.quantile(0.95, begin, end),
                p99_s=ring.quantile(0.99, begin, end),
                error_rate=float(failed.total.sum()) / requests if requests else None,
                throughput_per_s=requests / measured if requests else None,
                requests=requests,
                seconds=measured,
                at=end_at,
            )

    def close(self) -> None:
        """Let go of the folder.  What was taken stays in its journal."""
        with self._lock:
            if self._files is not None:
                self._files.close()
                self._files = None

    @property
    def damaged(self) -> tuple[str, ...]:
        """Files and lines of the folder that could not be read, and count for nothing."""
        return tuple(self._files.damaged) if self._files is not None else ()

    def _take(
        self,
        part: list[Telemetry | Mapping[str, Any]],
        now: float,
        position: tuple[str, Any] | None,
        told_aside: Mapping[str, int],
    ) -> int:
        read: list[Telemetry] = []
        aside = Counter(told_aside)
        for one in part:
            if not isinstance(one, Mapping):
                read.append(one)
                continue
            try:
                read.append(parse_telemetry(one))
            except ValueError:
                aside["unreadable"] += 1
        kept, refused = self._intake.take(read, now)
        aside += refused
        if not kept and not aside and position is None:
            return 0
        rate = self.settings.log_sampling_rate
        batch: dict[str, Any] = {
            "aside": dict(aside),
            "position": position,
            "log_weight": 1 / rate if rate > 0 else 1.0,
        }
        if self._files is not None:
            records = [one.model_dump(mode="json", exclude_defaults=True) | {"kind": one.kind} for one in kept]
            try:
                self._files.append({"records": records, **batch})
            except StorageError:
                self._intake.undo()
                raise
        self._kept.take(kept, batch)
        return len(kept)

    def _maintain(self, now: float) -> None:
        """Count requests that are over; turn a long or old journal into a segment; forget what is too old."""
        tallies = self._kept.tallies
        tallies.close_requests(tallies.newest)
        tallies.forget(tallies.newest - KEPT_S)
        if self._files is None or now < self._retry_at:
            return
        if self._files.journal_bytes < self._journal_bytes and now - self._sealed_at < JOURNAL_S:
            return
        part = Kept()
        part.tallies.cut_as(tallies)
        for batch in self._files.batches():
            part.replay(batch)
        self._files.seal(part.dump() | self._intake.dump(tallies.newest))
        self._sealed_at = now
        if self._files.crowded:
            whole = Kept()
            for told in self._files.singles():
                whole.merge(told)
            self._files.join(whole.dump() | self._intake.dump(tallies.newest))
        self._files.forget(int((tallies.newest - KEPT_S) // 60))

    def _trends(self, now: float) -> tuple[tuple[Trend, ...], list[str]]:
        end = int(now // 60)
        begin = end - BASELINE_MINUTES - HOUR
        found, unknown = [], []
        for facts in self._kept.windows.facts.values():
            minutes = self._kept.windows.ring(facts.key).minutes(begin, end)
            name = facts.key.partition("/")[2]
            found.append(trend(minutes.mean, series=name, component=facts.component, measure=facts.measure))
            if facts.series == REQUEST_DURATION:
                rate = np.where(minutes.count > 0, minutes.count / 60.0, np.nan)
                found.append(trend(rate, series="requests.throughput", component=facts.component, measure="throughput"))
        unknown = [f"{one.component}/{one.series}: {one.reason}" for one in found if one.health == "unknown"]
        return tuple(found), unknown

    def _gaps(self, begin: float, end: float) -> list[TelemetryGap]:
        told = [gap for gap in self._kept.tallies.gaps if gap.end > begin and gap.begin <= end]
        return told + [
            gap for facts in self._kept.windows.facts.values() for gap in self._silent(facts.key, begin, end)
        ]

    def _silent(self, key: str, begin: float, end: float) -> list[TelemetryGap]:
        last = int(end // 60)
        minutes = self._kept.windows.ring(key).minutes(last - BASELINE_MINUTES, last)
        return silences(key, minutes.count > 0, minutes.begin, begin)

    def _alarms(self, end: float) -> tuple[AlarmTransition, ...]:
        last: dict[tuple[str, str], AlarmTransition] = {}
        for one in sorted(self._kept.tallies.alarms, key=lambda alarm: alarm.at):
            if one.at <= end:
                last[one.component, one.alarm] = one
        return tuple(one for one in last.values() if one.after == "alarm")


def _health(trends: tuple[Trend, ...], found: tuple[ErrorCluster, ...], view: View) -> dict[str, Health]:
    told: dict[str, set[Health]] = {}
    for one in trends:
        judged: Health = "degraded" if one.counts else "unknown" if one.health == "unknown" else "healthy"
        told.setdefault(one.component, set()).add(judged)
    for cluster in found:
        if cluster.recurring:
            told.setdefault(cluster.component, set()).add("degraded")
    for component, *_ in view.functions:
        told.setdefault(component, set())
    return {
        component: "degraded" if "degraded" in answers else "healthy" if answers == {"healthy"} else "unknown"
        for component, answers in told.items()
    }
