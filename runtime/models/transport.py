"""An HTTP transport that stops reading when an answer grows beyond a limit: a flood costs no memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

__all__ = ["CappedTransport"]

LIMIT_BYTES = 8 * 1024 * 1024


class CappedTransport(httpx.AsyncHTTPTransport):
    """`limit_bytes` of a response's body are read; one byte more is an httpx.ReadError."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        super().__init__()
        self._limit_bytes = limit_bytes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Capped(response.stream, self._limit_bytes)
        return response


class _Capped(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, limit_bytes: int) -> None:
        self._stream = stream
        self._limit_bytes = limit_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for part in self._stream:
            read += len(part)
            if read > self._limit_bytes:
                raise httpx.ReadError(f"the answer has more than {self._limit_bytes:,} bytes")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()
