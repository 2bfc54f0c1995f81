"""What a command prints: the beginning and the end of it, within a bound, in memory."""

from __future__ import annotations

__all__ = ["Kept"]


class Kept:
    """At most about `keep_bytes` of a stream, and between its two ends a line that says how much was cut."""

    def __init__(self, keep_bytes: int) -> None:
        self._head_bytes = keep_bytes // 4
        self._tail_bytes = keep_bytes - self._head_bytes
        self._head = bytearray()
        self._tail = bytearray()
        self.total = 0

    def add(self, chunk: bytes) -> None:
        self.total += len(chunk)
        room = self._head_bytes - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        if len(self._tail) > 2 * self._tail_bytes:  # cut seldom, so that a flood costs one copy, not thousands
            del self._tail[: -self._tail_bytes]

    def content(self) -> bytes:
        tail = bytes(self._tail[-self._tail_bytes :])
        cut = self.total - len(self._head) - len(tail)
        mark = f"\n[… {cut} bytes cut here …]\n".encode() if cut else b""
        return bytes(self._head) + mark + tail
