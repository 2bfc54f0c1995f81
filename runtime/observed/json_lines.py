"""A file that a service writes telemetry into, one JSON object a line, followed as it grows.

Rotated (renamed, and begun anew), the old file is read to its end first, also after a restart if it stands beside the
new one under a name that begins with the same.  Truncated, it is read from its beginning.  A last line without an end
is left until it has one.
"""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from typing import Any

from core.telemetry import Telemetry, TelemetryGap, parse_telemetry
from runtime.observed.source import Reading

__all__ = ["JsonLines"]

READ_BYTES = 4 * 1024 * 1024
"""At once; there is `more` after that."""
LINE_BYTES = 256 * 1024
MAX_ROTATED = 50


class JsonLines:
    """`position` is what an earlier reading gave.  Lines are records of core.telemetry with their `kind`."""

    def __init__(self, path: Path, *, name: str = "", position: Any = None, line_bytes: int = LINE_BYTES) -> None:
        self.path = path
        self.name = name or f"file:{path}"
        self._line_bytes = line_bytes
        self._file: io.FileIO | None = None
        self._offset = 0
        self._skipping = False
        self._missing_since: float | None = None
        self._aside: dict[str, int] = {}
        if isinstance(position, dict):
            self._begin_again(position)

    def read(self, now: float) -> Reading:
        self._aside = {}
        records: list[Telemetry] = []
        try:
            lines, more = self._lines()
        except OSError as error:
            since = self._missing_since if self._missing_since is not None else now
            self._missing_since = now
            if since < now:
                reason = "missing" if isinstance(error, FileNotFoundError) else "unreadable"
                records.append(TelemetryGap(source=self.name, begin=since, end=now, reason=reason))
            return Reading(records, self._position())
        self._missing_since = None
        for line in lines:
            if not line.strip():
                continue
            try:
                records.append(parse_telemetry(line))
            except ValueError:
                self._count("unreadable")
        return Reading(records, self._position(), dict(self._aside), more)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _lines(self) -> tuple[list[bytes], bool]:
        """Whole lines, and whether there are more.  Raises OSError."""
        if self._file is None:
            self._file = self.path.open("rb", buffering=0)
            self._offset = 0
        assert self._file is not None
        if os.fstat(self._file.fileno()).st_size < self._offset:
            self._offset, self._skipping = 0, False
            self._count("truncated")
        lines, more = self._chunk(self._file)
        rotated = self._rotated(self._file)
        if more or lines or not rotated:
            return lines, more or rotated
        # nothing is left of the old file, and the name is another one's
        if os.fstat(self._file.fileno()).st_size > self._offset:
            self._count("unreadable")  # its last line was never ended
        self._file.close()
        self._file = None
        return [], True

    def _chunk(self, file: io.FileIO) -> tuple[list[bytes], bool]:
        file.seek(self._offset)
        data = file.read(READ_BYTES) or b""
        end = data.rfind(b"\n") + 1
        if not end:
            if len(data) > self._line_bytes:
                self._skipping = True
                self._offset += len(data)
                return [], True
            return [], False
        lines = data[:end].split(b"\n")[:-1]
        if self._skipping:
            lines, self._skipping = lines[1:], False
            self._count("unreadable")
        self._offset += end
        kept = [line for line in lines if len(line) <= self._line_bytes]
        self._count("unreadable", len(lines) - len(kept))
        return kept, len(data) == READ_BYTES

    def _rotated(self, file: io.FileIO) -> bool:
        try:
            return self.path.stat().st_ino != os.fstat(file.fileno()).st_ino
        except FileNotFoundError:
            return False  # renamed, and nothing new begun yet

    def _begin_again(self, position: dict[str, Any]) -> None:
        """Find the file that was read, under its name or as a rotated one."""
        inode, offset = position.get("inode"), int(position.get("offset", 0))
        candidates = [self.path]
        with contextlib.suppress(OSError):
            candidates += sorted(self.path.parent.glob(f"{self.path.name}*"))[:MAX_ROTATED]
        for path in candidates:
            with contextlib.suppress(OSError):
                if path.stat().st_ino == inode:
                    self._file = path.open("rb", buffering=0)
                    self._offset = offset
                    return

    def _position(self) -> dict[str, int] | None:
        if self._file is None:
            return None
        return {"inode": os.fstat(self._file.fileno()).st_ino, "offset": self._offset}

    def _count(self, reason: str, number: int = 1) -> None:
        if number:
            self._aside[reason] = self._aside.get(reason, 0) + number
