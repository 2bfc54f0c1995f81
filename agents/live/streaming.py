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
from runtime.observed import Source

__all__ = ["read_once", "stream"]

logger = logging.getLogger(__name__)
MAX_ROUNDS = 1_000
"""Of one source that always has more, before the others have their turn."""


def read_once(engine: LearningEngine, sources: Sequence[Source], now: float) -> int:
    """What every source has now goes into the engine; the number of records taken.  Blocks.

    Raises StorageError: what was read is then not counted as read.
    """
    taken = 0
    for source in sources:
        for _ in range(MAX_ROUNDS):
            try:
                reading = source.read(now)
            except Exception as error:  # a source that breaks its word must not end the others
                logger.exception("%s cannot be read", source.name)
                reason = f"broken: {type(error).__name__}"
                engine.ingest_telemetry([TelemetryGap(source=source.name, begin=now, end=now, reason=reason)])
                break
            position = None if reading.position is None else (source.name, reading.position)
            if reading.records or reading.aside or position not in (None, (source.name, engine.position(source.name))):
                taken += engine.ingest_telemetry(reading.records, position=position, aside=reading.aside).taken
            if not reading.more:
                break
    return taken


async def stream(
    engine: LearningEngine,
    sources: Sequence[Source],
    stop: asyncio.Event,
    *,
    interval_s: float | None = None,
    clock: Clock = system_clock,
) -> None:
    """Read every `interval_s` (the engine's setting when None) until `stop` is set, and once more then.

    A full disk is waited out: what a file holds is read again, what was pushed to a receiver is a loss that is logged.
    """
    every = engine.settings.stream_interval_s if interval_s is None else interval_s
    while True:
        stopping = stop.is_set()
        try:
            await asyncio.to_thread(read_once, engine, sources, clock())
        except StorageError as error:
            logger.warning("telemetry was not kept: %s", error)
        if stopping:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)
