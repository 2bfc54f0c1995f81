"""From sources into the engine, every interval, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from agents.live.learning_engine import LearningEngine
from core.errors import StorageError
from core.ids import Clock, system_clock
from core.telemetry import TelemetryGap
from runtime.observed import Reading, Source

__all__ = ["Stream"]

logger = logging.getLogger(__name__)
MAX_ROUNDS = 1_000
"""Of one source that always has more, before the others have their turn."""


class Stream:
    """Reads `sources` into `engine`.  A reading that cannot be kept waits; until it is, its source is not read on."""

    def __init__(self, engine: LearningEngine, sources: Sequence[Source]) -> None:
        self._engine = engine
        self._sources = sources
        self._waiting: dict[str, Reading] = {}

    def once(self, now: float) -> int:
        """What every source has now goes into the engine; how many records were taken.  Raises StorageError."""
        return sum(self._drain(source, now) for source in self._sources)

    async def run(self, stop: asyncio.Event, *, interval_s: float | None = None, clock: Clock = system_clock) -> None:
        """Every `interval_s` (the engine's setting when None) until `stop` is set, and once more then.

        A full disk is waited out.
        """
        every = self._engine.settings.stream_interval_s if interval_s is None else interval_s
        while True:
            stopping = stop.is_set()
            try:
                await asyncio.to_thread(self.once, clock())
            except StorageError as error:
                logger.warning("telemetry waits, because it cannot be kept: %s", error)
            if stopping:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every)

    def _drain(self, source: Source, now: float) -> int:
        taken = 0
        for _ in range(MAX_ROUNDS):
            reading = self._waiting.get(source.name) or self._read(source, now)
            position = None if reading.position is None else (source.name, reading.position)
            if reading.records or reading.aside or (position and self._engine.position(source.name) != position[1]):
                self._waiting[source.name] = reading
                taken += self._engine.ingest_telemetry(reading.records, position=position, aside=reading.aside).taken
                del self._waiting[source.name]
            if not reading.more:
                break
        return taken

    @staticmethod
    def _read(source: Source, now: float) -> Reading:
        try:
            return source.read(now)
        except Exception as error:  # noqa: BLE001  # a source that breaks its word must not end the others
            logger.warning("%s cannot be read: %s: %s", source.name, type(error).__name__, error)
            gap = TelemetryGap(source=source.name, begin=now, end=now, reason=f"broken: {type(error).__name__}")
            return Reading([gap])
