"""What is written about a job in its directory, read back.  The job can write there too, so nothing is trusted."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError

from core.process import ProcessIdentity
from core.records import Record

__all__ = ["JobReport", "JobResult", "StartedJob", "lost_result", "read_result", "read_started"]

LIMIT_BYTES = 1024 * 1024
R = TypeVar("R", bound=Record)


class JobReport(Record):
    """One line of metrics, `time_s` after the start.  With a `step` it is progress."""

    step: int | None
    time_s: float
    metrics: dict[str, float]


class JobResult(Record):
    """What became of one attempt; status, cause and the rest as in `core.records.Outcome`.

    `exit_code` is minus the signal's number when a signal ended it, None when it never ran or was lost.
    `steps` counts the reports that had a step.  `metrics` are the last values; of a stopped or failed job, so far.
    """

    job_id: str
    attempt: int
    status: Literal["ok", "stopped", "failed", "cancelled"]
    cause: str = ""
    reason: str = ""
    metrics: dict[str, float] = Field(default={})
    noise: dict[str, float] = Field(default={})
    steps: int = 0
    exit_code: int | None = None
    duration_s: float = 0.0
    cpu_s: float = 0.0
    peak_memory_mb: float = 0.0
    isolation: dict[str, str] = Field(default={})


class StartedJob(Record):
    """Who keeps the job; written and on the disk before the command runs."""

    job_id: str
    attempt: int
    pid: int
    start_time: int
    boot_id: str
    host: str
    at: float = Field(description="UTC seconds")

    @property
    def identity(self) -> ProcessIdentity:
        return ProcessIdentity(self.pid, self.start_time, self.boot_id, self.host)


def read_result(directory: Path, attempt: int) -> JobResult | None:
    """The result of exactly this attempt, if it is there; one of another attempt is not taken for it."""
    result = _read(directory / "result.json", JobResult)
    return result if result is not None and result.attempt == attempt else None


def read_started(directory: Path) -> StartedJob | None:
    """The latest attempt that was started in `directory`, whether or not anybody saw it."""
    return _read(directory / "started.json", StartedJob)


def lost_result(job_id: str, attempt: int, reason: str) -> JobResult:
    """For a job whose keeper died without a result."""
    return JobResult(job_id=job_id, attempt=attempt, status="failed", cause="lost", reason=reason)


def _read(path: Path, kind: type[R]) -> R | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        content = file.read(LIMIT_BYTES + 1)
    try:
        value: Any = json.loads(content) if len(content) <= LIMIT_BYTES else None
        return kind.model_validate(value)
    except (ValueError, RecursionError, ValidationError):
        return None
