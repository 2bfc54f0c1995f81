"""Bounds on what a provider's HTTP client reads: a flood is cut early, and a refusal keeps its Retry-After."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import Any

from core.errors import ModelSilentError
from runtime.models.uncertain import UncertainError

__all__ = ["LIMIT_BYTES", "bounding", "seconds_to_wait"]

LIMIT_BYTES = 16 * 1024 * 1024
"""Of one answer on the wire; a streamed token takes some 200 bytes there."""
ERROR_LIMIT_BYTES = 64 * 1024


def bounding(byte_stream: type, limit_bytes: int = LIMIT_BYTES) -> Callable[[Any], Awaitable[None]]:
    """A response hook for an httpx client, whose AsyncByteStream is `byte_stream`.

    There are two libraries of the same interface (openai uses httpx2), so the class is given.  The hook makes reading
    more than `limit_bytes` a ModelSilentError, and an overloaded server's answer one that knows how long to wait:
    the clients above drop the header.
    """
    kind = type("BoundedStream", (_Bounded, byte_stream), {})

    async def bound(response: Any) -> None:
        failed = response.status_code >= 400
        response.stream = kind(response.stream, ERROR_LIMIT_BYTES if failed else limit_bytes)
        if response.headers.get("content-encoding", "identity") not in ("", "identity"):
            # unpacked, a few kilobytes can be gigabytes; it was asked for plain text
            raise ModelSilentError("the answer is compressed, though that was not asked for", where=str(response.url))
        if response.status_code in (429, 503):
            body = (await response.aread()).decode(errors="replace")
            raise ModelSilentError(
                f"the server is overloaded ({response.status_code}): {body[:200].strip() or 'no reason given'}",
                where=str(response.url.copy_with(userinfo=b"", query=None)),
                hint="fewer calls in flight (model.concurrency), or a larger plan at the provider",
                retry_after_s=seconds_to_wait(response.headers.get("retry-after")),
            )

    return bound


def seconds_to_wait(header: str | None, now: Callable[[], float] = time.time) -> float | None:
    """A Retry-After header, seconds or a date, as seconds from now; None where it is neither (RFC 9110, 10.2.3)."""
    if not header:
        return None
    try:
        wait = float(header)
    except ValueError:
        try:
            wait = parsedate_to_datetime(header).timestamp() - now()
        except (ValueError, OverflowError):
            return None
    return max(0.0, wait) if wait < float("inf") else None


class _Bounded:
    def __init__(self, stream: Any, limit_bytes: int) -> None:
        self._stream = stream
        self._limit_bytes = limit_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for part in self._stream:
            read += len(part)
            if read > self._limit_bytes:
                raise UncertainError(
                    f"the answer was cut: it has more than {self._limit_bytes:,} bytes",
                    hint="is that a model's server?",
                )
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()
