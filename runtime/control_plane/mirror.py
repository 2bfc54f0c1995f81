"""What is told about a job elsewhere, kept here as a job of this machine would keep it."""

from __future__ import annotations

import inspect
import os
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self

from core.errors import StorageError
from core.process import ProcessIdentity
from runtime.control_plane.wire import FINAL, JobEvent
from runtime.jobs import JobResult, JobSpec, JobState, OnReport, OnStart

__all__ = ["Mirror"]


@dataclass(frozen=True)
class StartedThere:
    """A job that runs at a control plane; its keeper is known there only."""

    attempt: int
    identity: ProcessIdentity


class Mirror:
    """Takes the events of one job: calls the callbacks, writes `metrics.jsonl` and at last `result.json`.

    So whoever reads a job's folder finds its reports, and a result that was fetched is not fetched again.
    """

    def __init__(self, spec: JobSpec, url: str, on_report: OnReport | None, on_start: OnStart | None) -> None:
        self.job_id = spec.id
        self.last = 0
        """The number of the last event."""
        self.ended = False
        self._spec = spec
        self._url = url
        self._on_report = on_report
        self._on_start = on_start
        self._started = False
        self._reports: IO[str] | None = None

    def __enter__(self) -> Self:
        try:
            self._spec.directory.mkdir(parents=True, exist_ok=True)
            self._reports = open(self._spec.directory / "metrics.jsonl", "w", opener=_private)
        except OSError as error:
            raise self._storage_error(error) from error
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        assert self._reports is not None
        self._reports.close()

    async def tell(self, event: JobEvent) -> None:
        """Take the next event; one that was told before is passed over."""
        if event.seq <= self.last:
            return
        self.last = event.seq
        if event.status in FINAL:
            self.ended = True
        elif event.status == JobState.RUNNING or event.report is not None:
            await self._start()
        if event.report is not None:
            assert self._reports is not None
            try:
                self._reports.write(event.report.model_dump_json() + "\n")
                self._reports.flush()
            except OSError as error:
                raise self._storage_error(error) from error
            answer = self._on_report(event.report) if self._on_report else None
            if inspect.isawaitable(answer):
                await answer

    def keep(self, result: JobResult) -> None:
        """Write the result.  That of a job which was cancelled is not kept: it may be asked for again."""
        if result.status == "cancelled":
            return
        path = self._spec.directory / "result.json"
        new = path.with_name("result.json.new")
        try:
            with open(new, "w", opener=_private) as file:
                file.write(result.model_dump_json())
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except OSError as error:
            raise self._storage_error(error) from error

    async def _start(self) -> None:
        if self._started:
            return
        self._started = True
        started = StartedThere(self._spec.attempt, ProcessIdentity(0, 0, "", self._url))
        answer = self._on_start(started) if self._on_start else None
        if inspect.isawaitable(answer):
            await answer

    def _storage_error(self, error: OSError) -> StorageError:
        return StorageError(
            f"the folder of job {self.job_id} cannot be written: {error.strerror}",
            where=str(self._spec.directory),
            hint="free some space, or check its owner and permissions",
        )


def _private(path: str, flags: int) -> int:
    """Opened for nobody else, and not through a link; `Path.open` takes no opener."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
