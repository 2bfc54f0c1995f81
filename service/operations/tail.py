"""The tail of the ledger, live: the events of all campaigns as they are kept, by this process or by others."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from core.errors import UnavailableError
from core.events import AnyEvent
from memory.ledger import Ledger

__all__ = ["Line", "Tail"]

LOOK_S = 0.2
"""Between two looks at the ledger while somebody follows."""
KEPT = 2000
"""Newest events that are kept for all who follow; who falls behind further reads from the ledger."""
PAGE = 200


@dataclass(frozen=True)
class Line:
    """An event as it is sent: `text` is its JSON, in one line; `message` the server-sent message, made once for all."""

    seq: int
    campaign_id: str
    type: str
    text: str
    message: bytes


class Tail:
    """One look at the ledger serves all who follow.  Nothing is kept for one that reads slowly but its place.

    To be used in one event loop.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lines: deque[Line] = deque(maxlen=KEPT)
        self._from = self._seq = ledger.last_seq()
        self._changed = asyncio.Event()
        self._followers = 0
        self._looking: asyncio.Task[None] | None = None
        self.closed = False

    def close(self) -> None:
        """Ends all that follow."""
        self.closed = True
        self._changed.set()
        if self._looking is not None:
            self._looking.cancel()

    async def follow(
        self, after: int | None = None, campaign_id: str | None = None, *, heartbeat_s: float = 15.0
    ) -> AsyncIterator[list[Line]]:
        """Every event after `after` (default: from now on), as it comes, some at a time, of one campaign or of all.

        An empty list stands for a silence of `heartbeat_s`.  Ends when the tail is closed.
        """
        position = await asyncio.to_thread(self._ledger.last_seq) if after is None else after
        self._begin()
        try:
            while not self.closed:
                changed = self._changed
                lines, position = await self._after(position, campaign_id)
                if lines:
                    yield lines
                elif changed is self._changed:
                    try:
                        await asyncio.wait_for(changed.wait(), heartbeat_s)
                    except TimeoutError:
                        yield []
        finally:
            self._end()

    async def _after(self, position: int, campaign_id: str | None) -> tuple[list[Line], int]:
        """(lines after that place, at most a page; the place that is reached)."""
        if position < self._from:
            kept_from = self._from  # before the look: it may move on meanwhile
            lines = await asyncio.to_thread(self._read, position, campaign_id)
            return lines, lines[-1].seq if lines else kept_from
        fresh = list(itertools.takewhile(lambda line: line.seq > position, reversed(self._lines)))[::-1][:PAGE]
        wanted = [line for line in fresh if campaign_id in (None, line.campaign_id)]
        return wanted, fresh[-1].seq if fresh else position

    def _read(self, after: int, campaign_id: str | None) -> list[Line]:
        return [_line(event) for event in self._ledger.events(campaign_id, after=after, limit=PAGE)]

    def _begin(self) -> None:
        self._followers += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    def _end(self) -> None:
        self._followers -= 1
        if not self._followers and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _look(self) -> None:
        skipped = False
        while True:
            try:
                skipped = skipped or await self._skip()
                lines = await asyncio.to_thread(self._read, self._seq, None)
            except UnavailableError:  # busy, or the disk is full: it may pass, and who follows has lost nothing
                lines = []
            if lines:
                for line in lines:
                    if len(self._lines) == KEPT:
                        self._from = self._lines[0].seq
                    self._lines.append(line)
                self._seq = lines[-1].seq
                self._tell()
            if len(lines) < PAGE:
                await asyncio.sleep(LOOK_S)

    async def _skip(self) -> bool:
        """What came while nobody followed is not kept for all: who wants it reads it from the ledger."""
        newest = await asyncio.to_thread(self._ledger.last_seq)
        if newest - self._seq > PAGE:
            self._lines.clear()
            self._from = self._seq = newest
            self._tell()
        return True

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _line(event: AnyEvent) -> Line:
    text = event.model_dump_json(exclude={"version"})
    message = f"id: {event.seq}\nevent: {event.type}\ndata: {text}\n\n".encode()
    return Line(event.seq, event.campaign_id, event.type, text, message)
