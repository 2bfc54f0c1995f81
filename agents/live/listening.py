"""Listening to a service: its sources read in turn, what they tell kept by the engine and seen by the watch."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from agents.live.analysis import Analysis
from agents.live.learning_engine import LearningEngine
from agents.live.requests_seen import RequestsSeen
from core.campaign import Campaign
from core.ids import Clock, system_clock
from core.improvement import ImprovementSettings
from core.live_plan import TelemetryFrom
from core.watch import ServiceReading
from runtime.observed import Source
from runtime.observed.json_lines import JsonLines
from runtime.observed.prometheus import PrometheusScrape

__all__ = ["Listening", "open_source"]

LATE_S = 0.2
"""A line is written this long after what it tells of, at most; a window is read when it is whole."""
MOST_READINGS = 100
"""Of one source in a row, while it has more."""


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
        self._told_from = campaign.live.telemetry
        self._interval_s = settings.stream_interval_s
        self._words, self._clock, self._component = words, clock, campaign.name
        self._engine = LearningEngine(folder, settings, clock=clock, tenant_id=campaign.live.tenant)
        self._requests = RequestsSeen()
        self._sources: list[Source] = []
        self._lock = threading.Lock()
        self._task: asyncio.Task[None] | None = None

    @property
    def told_until(self) -> float:
        """The time of the newest thing that was told."""
        return self._requests.told_until

    async def start(self) -> None:
        """Open the sources, and read them from now on."""
        await asyncio.to_thread(self._open)
        self._task = asyncio.create_task(self._read_on())

    async def analyse(self, window_hours: float) -> Analysis:
        """What the last hours tell, up to this moment."""
        await asyncio.to_thread(self._read)
        return await asyncio.to_thread(self._engine.analyse, None, window_hours)

    def reading(self, since: float, until: float) -> ServiceReading | None:
        """What was seen from … to …, in a thread that may wait; None for a gap."""
        if (late := until + LATE_S - self._clock()) > 0:
            time.sleep(min(late, until - since + LATE_S))
        self._read()
        return self._requests.reading(since, until)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        with self._lock:
            for source in self._sources:
                source.close()
            self._engine.close()

    def _open(self) -> None:
        for told in self._told_from:
            if told.jsonl:  # what was told before this process is known to the engine, but not to the watch
                self._requests.take_all(JsonLines(_path(told, self._words)), self._clock())
            self._sources.append(open_source(told, self._words, self._component, self._engine))

    async def _read_on(self) -> None:
        while True:
            await asyncio.to_thread(self._read)
            await asyncio.sleep(self._interval_s)

    def _read(self) -> None:
        """Everything that the sources have by now."""
        with self._lock:
            for source in self._sources:
                for _ in range(MOST_READINGS):
                    reading = source.read(self._clock())
                    position = None if reading.position is None else (source.name, reading.position)
                    self._engine.ingest_telemetry(reading.records, position=position)
                    self._requests.take(reading.records)
                    if not reading.more:
                        break


def open_source(told: TelemetryFrom, words: Mapping[str, str], component: str, engine: LearningEngine) -> Source:
    """The source that a campaign names, from where the engine has read it to."""
    if told.jsonl:
        path = _path(told, words)
        return JsonLines(path, position=engine.position(f"file:{path}"))
    return PrometheusScrape(_filled(told.prometheus, words), component=component)


def _path(told: TelemetryFrom, words: Mapping[str, str]) -> Path:
    return Path(words["here"]) / _filled(told.jsonl, words)


def _filled(text: str, words: Mapping[str, str]) -> str:
    for name, value in words.items():
        text = text.replace(f"{{{name}}}", value)
    return text
