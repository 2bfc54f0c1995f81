"""Server-sent events, read with bounds (the HTML standard, section 9.2.6)."""

from __future__ import annotations

from collections.abc import AsyncIterator

__all__ = ["messages"]

LINE_LIMIT_BYTES = 1024 * 1024
STREAM_LIMIT_BYTES = 256 * 1024 * 1024
"""Of one connection; what a job may report stays far below it."""


async def messages(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The data of each message.  Ids and names stand in our data too, so those fields are passed over, as are pings.

    A message that was cut off by the end of the stream is dropped.  Raises ValueError when a line or the stream has
    no end.
    """
    rest, size = b"", 0
    data: list[bytes] = []
    async for chunk in chunks:
        size += len(chunk)
        if size > STREAM_LIMIT_BYTES:
            raise ValueError(f"more than {STREAM_LIMIT_BYTES:,} bytes")
        *lines, rest = (rest + chunk).replace(b"\r\n", b"\n").split(b"\n")
        if len(rest) > LINE_LIMIT_BYTES:
            raise ValueError(f"a line of more than {LINE_LIMIT_BYTES:,} bytes")
        for line in lines:
            if not line:
                if data:
                    yield b"\n".join(data)
                    data = []
            elif line.startswith(b"data:"):
                data.append(line.removeprefix(b"data:").removeprefix(b" "))
