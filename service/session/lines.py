"""Lines from standard input where there is no prompt: a pipe, or a terminal that cannot move its cursor."""

from __future__ import annotations

import contextlib
import os
import select
import sys

from service.session.output import SessionOutput

__all__ = ["Lines"]

CHUNK = 65_536
MAX_BYTES = 1_000_000
"""Of one line; what is longer is cut."""


class Lines:
    """Read when they are whole; `end`, from a signal handler or any thread, ends the waiting for one."""

    def __init__(self, output: SessionOutput) -> None:
        self._output = output
        self._descriptor = sys.stdin.fileno()
        self._asks = sys.stdin.isatty()
        self._read = b""
        self._lost = False
        self._ended, self._end = os.pipe()
        os.set_blocking(self._end, False)

    @property
    def is_terminal(self) -> bool:
        return self._asks

    def line(self) -> str | None:
        """The next line without its end; None at the end of input, and after `end`."""
        if self._asks:
            self._output.talk("> ")
        while b"\n" not in self._read:
            ready, _, _ = select.select([self._descriptor, self._ended], [], [])
            if self._ended in ready:
                return None
            chunk = self._chunk()
            if not chunk:
                line, self._read = self._read, b""
                return line.decode("utf-8", "replace") if line else None
            self._read = (self._read + chunk) if b"\n" in chunk or len(self._read) < MAX_BYTES else self._read
        line, _, self._read = self._read.partition(b"\n")
        return line[:MAX_BYTES].decode("utf-8", "replace")

    def end(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._end, b"x")

    def close(self) -> None:
        os.close(self._ended)
        os.close(self._end)

    def _chunk(self) -> bytes:
        try:
            return os.read(self._descriptor, CHUNK)
        except OSError:  # the terminal has gone
            return b""
