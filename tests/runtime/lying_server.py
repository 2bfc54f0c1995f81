"""A small HTTP server that answers what a test tells it to: late, wrongly, without end."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Lie", "answer", "serving", "stream"]

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


def answer(value: Any, status: int = 200, kind: str = "application/json") -> Reply:
    """A whole answer: `value` as it is when bytes, else as JSON."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        head = (
            f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)

    return reply


def stream(*events: bytes, then: Reply | None = None) -> Reply:
    """An event stream of these bytes, which ends, or goes on as `then` says."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        for event in events:
            writer.write(event)
        await writer.drain()
        if then is not None:
            await then(writer)

    return reply


@dataclass
class Lie:
    """Replies by route; the tests change single ones of an honest server.  `asked` is what was asked, in order."""

    train: Reply
    events: Reply
    job: Reply
    results: Reply
    cancel: Reply
    asked: list[str] = field(default_factory=list)

    def reply(self, method: str, path: str) -> Reply:
        self.asked.append(f"{method} {path}")
        if path == "/train":
            return self.train
        ends = {"/events": self.events, "/results": self.results, "/cancel": self.cancel}
        return next((reply for end, reply in ends.items() if path.endswith(end)), self.job)


@asynccontextmanager
async def serving(lie: Lie) -> AsyncIterator[str]:
    """The server's URL."""
    talks: set[asyncio.Task[Any]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, path, _ = head.split(" ", 2)
            length = re.search(r"content-length: *(\d+)", head.lower())
            await reader.readexactly(int(length[1]) if length else 0)
            await lie.reply(method, path)(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has enough, or the test is over
        finally:
            talks.discard(task)
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.close()
        for one in list(talks):
            one.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
