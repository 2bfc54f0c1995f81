"""Listening to a service: its sources read in turn, what they tell kept by the engine and seen by the watch."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from agents.live.analysis import Analysis
from agents.live.intake import KEPT_S
from agents.live.learning_engine import LearningEngine
from agents.live.requests_seen import RequestsSeen
from agents.live.sources import SeenSource, json_lines_path, open_source
from agents.live.streaming import Stream
from core.campaign import Campaign
from core.errors import StorageError
from core.ids import Clock, system_clock
from core.improvement import ImprovementSettings
from core.telemetry import AlarmTransition, Deployment
from core.watch import ServiceReading
from runtime.observed.json_lines import JsonLines

__all__ = ["Listening"]

logger = logging.getLogger(__name__)
LATE_S = 0.2
"""A line is written this long after what it tells of, at most; a window is read when it is whole."""
HOUR = 1.0
REFUSED = {
    "future": ("of a time in the future", "`at` is in seconds since the epoch, not in milliseconds"),
    "old": ("of a time long ago", "`at` is in seconds since the epoch"),
    "unreadable": ("unreadable", "docs/improvement-telemetry.md shows what a line has to be"),
    "not_finite": ("that are no numbers", "`at` and `value` have to be numbers"),
}
"""What was set aside: in words, and what may help."""


class Listening:
    """The telemetry of one service, taken from `start` to `close`, every `stream_interval_s` and whenever it is asked
    for.  What was taken is kept in `folder`; an earlier process's is known.
    """

    def __init__(
        self,
        folder: Path,
        settings: ImprovementSettings,
        campaign: Campaign,
        words: Mapping[str, str],
        clock: Clock = system_clock,
    ) -> None:
        assert campaign.live is not None
        self._told_from, self._settings = campaign.live.telemetry, settings
        self._words, self._clock, self._component = words, clock, campaign.name
        self._engine = LearningEngine(folder, settings, clock=clock, tenant_id=campaign.live.tenant)
        self._requests = RequestsSeen()
        self._sources: list[SeenSource] = []
        self._stream = Stream(self._engine, ())
        self._calls = 0
        self._lock = threading.Lock()
        self._ended = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def told_since(self) -> float:
        """The time of the oldest thing that was told."""
        return self._requests.told_since

    @property
    def told_until(self) -> float:
        """The time of the newest thing that was told."""
        return self._requests.told_until

    @property
    def tells_revisions(self) -> bool:
        """Whether requests are told with the release that answered them."""
        return self._requests.tells_revisions

    async def start(self) -> None:
        """Open the sources, and read them from now on."""
        await asyncio.to_thread(self._open)
        self._task = asyncio.create_task(self._read_on())

    def settled(self, at: float, revision: str) -> None:
        """From then on the service runs this release; kept with the telemetry."""
        if at < self._clock() - KEPT_S:
            return
        told = Deployment(at=at, component=self._component, revision=revision[:12], id=f"settled {at:.3f}")
        try:
            with self._lock:
                self._engine.ingest_telemetry([told])
        except StorageError as error:
            logger.warning("it is not kept since when the service runs its code: %s", error)

    async def analyse(self, window_hours: float) -> Analysis:
        """What the last hours tell, up to this moment."""
        await asyncio.to_thread(self._read)
        found = await asyncio.to_thread(self._engine.analyse, None, window_hours)
        calls, self._calls = self._calls, sum(source.calls for source in self._sources)
        if made := self._calls - calls:
            found = found.model_copy(update={"counts": {**found.counts, "cloudwatch_api_calls": made}})
        return found

    async def trouble(self) -> tuple[str, str]:
        """Why nothing of what it tells was taken lately, and what may help."""
        found = await self.analyse(HOUR)
        refused = {why: count for why, count in found.set_aside.items() if why in REFUSED}
        if refused:
            told = ", ".join(f"{count:,} {REFUSED[why][0]}" for why, count in refused.items())
            most = max(refused, key=refused.__getitem__)
            return f"nothing new that the service tells can be used; set aside: {told}", REFUSED[most][1]
        away = "; ".join(dict.fromkeys(f"{gap.source} is {gap.reason}" for gap in found.gaps if gap.reason != "silent"))
        if away:
            return f"the service tells nothing: {away}", "does it write there, and may this program read it?"
        return "the service tells nothing", "silence is not health: is it asked at all?"

    async def critical_alarms(self) -> list[AlarmTransition]:
        """The critical alarms that stand now."""
        return [alarm for alarm in (await self.analyse(HOUR)).alarms if alarm.severity == "critical"]

    def reading(self, since: float, until: float, revision: str = "") -> ServiceReading | None:
        """What was seen from … to …, of one release or of all; in a thread that may wait; None for a gap."""
        if (late := until + LATE_S - self._clock()) > 0:
            time.sleep(min(late, until - since + LATE_S))
        self._read()
        return self._requests.reading(since, until, revision)

    async def close(self) -> None:
        self._ended.set()
        if self._task is not None:
            await self._task
        with self._lock:
            for source in self._sources:
                source.close()
            self._engine.close()

    def _open(self) -> None:
        for told in self._told_from:
            if told.jsonl:  # what was told before this process is known to the engine, but not to the watch
                self._requests.take_all(JsonLines(json_lines_path(told, self._words)), self._clock())
            source = open_source(told, self._words, self._component, self._engine, self._settings)
            self._sources.append(SeenSource(source, self._requests.take))
        self._stream = Stream(self._engine, self._sources)

    async def _read_on(self) -> None:
        while not self._ended.is_set():
            await asyncio.to_thread(self._read)
            try:
                await asyncio.wait_for(self._ended.wait(), self._settings.stream_interval_s)
            except TimeoutError:
                continue

    def _read(self) -> None:
        """Everything that the sources have by now."""
        try:
            with self._lock:
                self._stream.once(self._clock())
        except StorageError as error:  # a full disk: it waits at its source, and is read again
            logger.warning("telemetry waits, because it cannot be kept: %s", error)
