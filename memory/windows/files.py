"""The files behind the windows: what was told goes to a journal first, and a full journal becomes a segment.

    journal-000007.jsonl          batches, one a line, in the order they were taken; a torn last line is dropped
    segment-000001-000006.npz     what journals 1 to 6 came to, as arrays; segments add up

A batch is written before it counts.  A segment is written aside, flushed and renamed, then its journal goes: a process
killed anywhere finds every batch in exactly one of the two.  One process owns the folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import BusyError, StorageError

__all__ = ["WindowFiles"]

SEGMENT = re.compile(r"segment-(\d{6})-(\d{6})\.npz")
JOURNAL = re.compile(r"journal-(\d{6})\.jsonl")
MAX_SEGMENTS = 24
"""Of single journals, before they are joined into one."""


class WindowFiles:
    """The folder of one engine.  Raises BusyError when another process has it, StorageError when it cannot be used."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged: list[str] = []
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = (folder / "lock").open("a")
        except OSError as error:
            raise self._trouble(error) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise BusyError(
                "another process takes telemetry into this folder", where=str(folder), hint="end it, or use its answers"
            ) from error
        self._tidy()
        self._journal: io.FileIO | None = None

    @property
    def generation(self) -> int:
        """The number of the journal that is written."""
        return max((last for _, last, _ in self._segments()), default=0) + 1

    @property
    def journal_bytes(self) -> int:
        return self._open().seek(0, os.SEEK_END)

    def append(self, batch: dict[str, Any]) -> None:
        """Keep a batch.  Raises StorageError, and then nothing of it is kept."""
        line = json.dumps(batch, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        journal = self._open()
        before = journal.seek(0, os.SEEK_END)
        try:
            view = memoryview(line)
            while view:
                view = view[journal.write(view) :]
        except OSError as error:
            with contextlib.suppress(OSError):
                journal.truncate(before)
            raise self._trouble(error) from error

    def batches(self) -> Iterator[dict[str, Any]]:
        """Those of the journal.  A line that is none is told in `damaged` and passed over."""
        self._open()
        path = self._journal_path(self.generation)
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield json.loads(line)
                except ValueError:
                    self.damaged.append(f"{path.name} line {number}")

    def segments(self) -> Iterator[dict[str, Any]]:
        """The arrays of every segment, oldest first.  One that cannot be read is set aside, and told."""
        for _, _, path in self._segments():
            try:
                with np.load(path, allow_pickle=False) as told:
                    yield {name: told[name] for name in told.files}
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
                self.damaged.append(path.name)
                # the name keeps its numbers taken, so that no journal is given one of them again
                path.with_suffix(".npz.damaged").write_bytes(path.read_bytes())
                self._write(path, {})

    def seal(self, told: dict[str, Any]) -> None:
        """`told`, which is what the journal came to, becomes a segment; the journal begins anew."""
        generation = self.generation
        self._write(self.folder / f"segment-{generation:06d}-{generation:06d}.npz", told)
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        self._journal_path(generation).unlink(missing_ok=True)

    @property
    def crowded(self) -> bool:
        """Whether there are so many segments that reading them all takes long."""
        return sum(first == last for first, last, _ in self._segments()) >= MAX_SEGMENTS

    def singles(self) -> Iterator[dict[str, Any]]:
        """The arrays of the segments of single journals."""
        for first, last, path in self._segments():
            if first == last:
                with np.load(path, allow_pickle=False) as told:
                    yield {name: told[name] for name in told.files}

    def join(self, told: dict[str, Any]) -> None:
        """`told` is what all segments of single journals came to: they become one."""
        singles = [(first, path) for first, last, path in self._segments() if first == last]
        numbers = [first for first, _ in singles]
        self._write(self.folder / f"segment-{min(numbers):06d}-{max(numbers):06d}.npz", told)
        for _, path in singles:
            path.unlink(missing_ok=True)

    def forget(self, before_minute: int) -> None:
        """Remove segments in which nothing is as new as that."""
        for _, last, path in self._segments():
            with np.load(path, allow_pickle=False) as told:
                newest = told["newest"] if "newest" in told.files else None
            # the last one stays: it tells which number comes next
            if newest is not None and int(newest) < before_minute and last < self.generation - 1:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        self._lock.close()

    def _segments(self) -> list[tuple[int, int, Path]]:
        named = [(SEGMENT.fullmatch(path.name), path) for path in self.folder.iterdir()]
        return sorted((int(match[1]), int(match[2]), path) for match, path in named if match)

    def _tidy(self) -> None:
        """Remove what a killed process left: parts of joined segments, journals that became one, files half-written."""
        segments = self._segments()
        for first, last, path in segments:
            if any(a <= first and last <= b and other != path for a, b, other in segments):
                path.unlink(missing_ok=True)
        covered = max((last for _, last, _ in segments), default=0)
        for path in self.folder.iterdir():
            match = JOURNAL.fullmatch(path.name)
            if (match and int(match[1]) <= covered) or path.name.startswith(".segment-"):
                path.unlink(missing_ok=True)

    def _open(self) -> io.FileIO:
        if self._journal is None:
            path = self._journal_path(self.generation)
            try:
                self._journal = io.FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")
                self._drop_torn(self._journal)
            except OSError as error:
                raise self._trouble(error) from error
        return self._journal

    @staticmethod
    def _drop_torn(journal: io.FileIO) -> None:
        """Cut off a last line without an end: the process died while writing it, and nobody was told it was kept."""
        size = journal.seek(0, os.SEEK_END)
        keep = size
        while keep:
            begin = max(0, keep - 65536)
            journal.seek(begin)
            at = journal.read(keep - begin).rfind(b"\n")
            if at >= 0:
                keep = begin + at + 1
                break
            keep = begin
        if keep < size:
            journal.truncate(keep)

    def _journal_path(self, generation: int) -> Path:
        return self.folder / f"journal-{generation:06d}.jsonl"

    def _write(self, path: Path, told: dict[str, Any]) -> None:
        name = ""
        try:
            descriptor, name = tempfile.mkstemp(dir=self.folder, prefix=f".{path.name}.")
            with os.fdopen(descriptor, "wb") as file:
                np.savez_compressed(file, **told)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except OSError as error:
            if name:
                Path(name).unlink(missing_ok=True)
            raise self._trouble(error) from error

    def _trouble(self, error: OSError) -> StorageError:
        return StorageError(
            f"telemetry cannot be kept: {error.strerror or error}",
            where=str(self.folder),
            hint="is the disk full, or read-only?",
        )
