"""What a job prints: kept on disk within a bound, and cut into lines without ever holding a long one."""

from __future__ import annotations

import os

from runtime.keeper.files import create, write_all

__all__ = ["LINE_LIMIT_BYTES", "KeptOutput", "Lines"]

LINE_LIMIT_BYTES = 64 * 1024
TAIL_BYTES = 16 * 1024


class KeptOutput:
    """A log of at most `keep_bytes`: the beginning and the end, and between them a line that says what was cut.

    The end is written as it comes, so that it can be followed; each time it has doubled, its older half is cut.
    """

    def __init__(self, directory: int, name: str, keep_bytes: int) -> None:
        self._descriptor = create(directory, name, os.O_RDWR)
        self._head_bytes = keep_bytes // 4
        self._tail_bytes = (keep_bytes - self._head_bytes) // 2 - 128  # room for the line about the cut
        self._written = 0
        self._cut = 0
        self.total = 0
        self.tail = b""
        self.error: OSError | None = None

    def add(self, chunk: bytes) -> None:
        """Keep `chunk`.  A disk that is full is remembered in `error`, and the job goes on."""
        self.total += len(chunk)
        self.tail = (self.tail + chunk)[-TAIL_BYTES:]
        if self.error is None:
            try:
                self._write(chunk)
            except OSError as error:
                self.error = error

    def _write(self, chunk: bytes) -> None:
        write_all(self._descriptor, chunk)
        self._written += len(chunk)
        if self._written > self._head_bytes + 2 * self._tail_bytes:
            tail = os.pread(self._descriptor, self._tail_bytes, self._written - self._tail_bytes)
            self._cut = self.total - self._head_bytes - len(tail)
            os.ftruncate(self._descriptor, self._head_bytes)
            os.lseek(self._descriptor, self._head_bytes, os.SEEK_SET)
            content = f"\n[… {self._cut} bytes cut here …]\n".encode() + tail
            write_all(self._descriptor, content)
            self._written = self._head_bytes + len(content)


class Lines:
    """Bytes to lines.  A line longer than `LINE_LIMIT_BYTES` is dropped as it comes."""

    def __init__(self) -> None:
        self._rest = b""
        self._dropping = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes, without their ends."""
        *whole, rest = chunk.split(b"\n")
        if not whole:
            self._extend(rest)
            return []
        self._extend(whole[0])
        first = [] if self._dropping else [self._rest]
        self._rest, self._dropping = b"", False
        self._extend(rest)
        return first + [line for line in whole[1:] if len(line) <= LINE_LIMIT_BYTES]

    def end(self) -> list[bytes]:
        """The last line, when no line end followed it."""
        rest, self._rest = self._rest, b""
        return [rest] if rest and not self._dropping else []

    def _extend(self, part: bytes) -> None:
        if self._dropping or len(self._rest) + len(part) > LINE_LIMIT_BYTES:
            self._rest, self._dropping = b"", True
        else:
            self._rest += part
