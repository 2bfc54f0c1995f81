"""The reports of a job, read from its `metrics.jsonl` as it grows."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from pydantic import ValidationError

from runtime.jobs.result import JobReport

__all__ = ["ReportFile", "read_reports"]

READ_BYTES = 4 * 1024 * 1024
FILE_LIMIT_BYTES = 64 * 1024 * 1024
LINE_LIMIT_BYTES = 128 * 1024


class ReportFile:
    """Remembers how far it has read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read(self) -> list[JobReport]:
        """The reports that were completed since the last call.  A line that is not a report is passed over."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return []
        reports: list[JobReport] = []
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return []
            while self._offset < FILE_LIMIT_BYTES:  # ours stay far below it
                content = os.pread(descriptor, READ_BYTES, self._offset)
                whole, end, _ = content.rpartition(b"\n")
                if not end:
                    break
                self._offset += len(whole) + len(end)
                reports += filter(None, map(_parse, whole.split(b"\n")))
        finally:
            os.close(descriptor)
        return reports


def _parse(line: bytes) -> JobReport | None:
    try:
        return JobReport.model_validate(json.loads(line)) if len(line) <= LINE_LIMIT_BYTES else None
    except (ValueError, RecursionError, ValidationError):
        return None


def read_reports(directory: Path) -> list[JobReport]:
    """Every report that the latest attempt in `directory` has made so far."""
    return ReportFile(directory / "metrics.jsonl").read()
