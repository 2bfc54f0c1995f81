"""Jobs in order of arrival, so many at once."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Protocol

from core.errors import BusyError, UnavailableError
from core.process import ProcessIdentity
from runtime.jobs.result import JobReport, JobResult, read_result, read_started
from runtime.jobs.running import RunningJob, attach, start
from runtime.jobs.spec import JobSpec

__all__ = ["JobQueue", "JobState", "Jobs", "OnReport", "OnStart", "Started"]

START_CHANCES = 40


class Started(Protocol):
    """A job that runs: which attempt, and who keeps it."""

    @property
    def attempt(self) -> int: ...

    @property
    def identity(self) -> ProcessIdentity: ...


OnReport = Callable[[JobReport], Awaitable[None] | None]
OnStart = Callable[[Started], Awaitable[None] | None]


class Jobs(Protocol):
    """What carries out jobs: the queue of this process, or a control plane.  The contract is `JobQueue`'s."""

    @property
    def parallel(self) -> int: ...

    async def run(
        self, spec: JobSpec, on_report: OnReport | None = None, on_start: OnStart | None = None
    ) -> JobResult: ...

    async def cancel(self, job_id: str) -> bool: ...

    async def shutdown(self) -> None: ...


class JobState(StrEnum):
    """Where a job of the queue stands.  PENDING: known, not yet in line."""

    PENDING = "PENDING"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


FINAL = {
    "ok": JobState.COMPLETED,
    "stopped": JobState.COMPLETED,
    "failed": JobState.FAILED,
    "cancelled": JobState.CANCELLED,
}


class _Entry:
    """A job between its arrival and its end."""

    def __init__(self) -> None:
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.has_place = False
        self.running: RunningJob | None = None
        self.cancelled = False
        self.gone = asyncio.Event()


class JobQueue:
    """At most `parallel` jobs run at once; the others wait in the order in which they came."""

    def __init__(self, parallel: int) -> None:
        if parallel < 1:
            raise ValueError(f"parallel is {parallel}, it must be at least 1")
        self.parallel = parallel
        self._entries: dict[str, _Entry] = {}
        self._states: dict[str, JobState] = {}
        self._open = True
        self._left = False

    def states(self) -> dict[str, JobState]:
        """Every job this queue has seen, in order of arrival."""
        return dict(self._states)

    async def run(self, spec: JobSpec, on_report: OnReport | None = None, on_start: OnStart | None = None) -> JobResult:
        """Carry out one attempt and return its result: a failure is a result too.

        An attempt happens once, however often this is called: when its result is there it is returned, when it runs
        (started by a process that died) it is watched, when its keeper was killed it is `lost`.  `on_start` is
        called before the first report, for a job that is watched again too.  When the calling task is cancelled,
        or a callback raises, the job is ended first.  Raises what `start` and `attach` raise, and BusyError when
        the job is in this queue already.
        """
        if not self._open:
            raise UnavailableError("the job queue has been shut down")
        if spec.id in self._entries:
            raise BusyError(f"job {spec.id} is in the queue already")
        entry = self._entries[spec.id] = _Entry()
        self._states[spec.id] = JobState.PENDING
        try:
            result = await self._carry_out(spec, entry, on_report, on_start)
            self._states[spec.id] = FINAL[result.status]
            return result
        except asyncio.CancelledError:
            self._states[spec.id] = JobState.CANCELLED
            raise
        except BaseException:
            self._states[spec.id] = JobState.FAILED
            raise
        finally:
            del self._entries[spec.id]
            entry.gone.set()
            self._admit()

    async def cancel(self, job_id: str) -> bool:
        """End a job that waits, starts or runs; its `run` then returns a result with status `cancelled`.

        Returns when its processes are dead; False when there is no such job (any more).
        """
        entry = self._entries.get(job_id)
        if entry is None:
            return False
        entry.cancelled = True
        if not entry.turn.done():
            entry.turn.set_result(None)
        if entry.running is not None:
            await entry.running.cancel()
        elif entry.has_place:
            await entry.gone.wait()
        return True

    async def cancel_all(self) -> None:
        """End every job that waits, starts or runs; returns when their processes are dead."""
        await asyncio.gather(*map(self.cancel, list(self._entries)))

    async def shutdown(self) -> None:
        """`cancel_all`, and no job is taken any more."""
        self._open = False
        await self.cancel_all()

    def leave(self) -> None:
        """From now on a `run` that is broken off leaves its job to its keeper; no job is taken or started any more."""
        self._open = False
        self._left = True

    async def _carry_out(
        self, spec: JobSpec, entry: _Entry, on_report: OnReport | None, on_start: OnStart | None
    ) -> JobResult:
        done = read_result(spec.directory, spec.attempt)
        if done is not None:
            return done
        before = read_started(spec.directory)
        if before is not None and before.attempt == spec.attempt:
            entry.has_place = True  # it runs whether or not there is room
            entry.running = attach(spec.directory, before.identity, attempt=spec.attempt)
        else:
            self._states[spec.id] = JobState.QUEUED
            self._admit()
            await entry.turn
            if entry.cancelled:
                return JobResult(
                    job_id=spec.id, attempt=spec.attempt, status="cancelled", reason="cancelled before it started"
                )
        self._states[spec.id] = JobState.RUNNING
        if entry.running is None:
            entry.running = await self._start_or_take_up(spec)
        if entry.cancelled:
            return await entry.running.cancel()
        return await self._follow(entry.running, on_report, on_start)

    def _admit(self) -> None:
        """Give the free places to those who have waited longest."""
        if self._left:
            return
        free = self.parallel - sum(entry.has_place for entry in self._entries.values())
        for job_id, entry in self._entries.items():
            if free > 0 and self._states[job_id] == JobState.QUEUED and not entry.turn.done():
                entry.has_place = True
                entry.turn.set_result(None)
                free -= 1

    async def _start_or_take_up(self, spec: JobSpec) -> RunningJob:
        """`start`; when a process that is gone had asked for the same attempt just before, its keeper is watched.

        That keeper may not have written yet who it is: the few hundredths of a second until it has are spent by asking
        again.
        """
        for chance in reversed(range(START_CHANCES)):
            try:
                return await self._start(spec)
            except BusyError:
                found = read_started(spec.directory)
                if found is not None and found.attempt == spec.attempt:
                    return attach(spec.directory, found.identity, attempt=spec.attempt)
                if chance == 0 or (found is not None and found.identity.alive()):
                    raise
        raise AssertionError("unreachable")

    async def _start(self, spec: JobSpec) -> RunningJob:
        """`start`, seen through even when the calling task is cancelled meanwhile: then the job is given up."""
        starting = asyncio.create_task(start(spec))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            await self._give_up(await starting)
            raise

    async def _follow(self, running: RunningJob, on_report: OnReport | None, on_start: OnStart | None) -> JobResult:
        try:
            if on_start is not None:
                await _call(on_start(running))
            if on_report is not None:
                async for report in running.reports():
                    await _call(on_report(report))
            return await running.wait()
        except BaseException:
            await asyncio.shield(self._give_up(running))
            raise

    async def _give_up(self, running: RunningJob) -> None:
        if self._left:
            running.close()
        else:
            await running.cancel()


async def _call(answer: Awaitable[None] | None) -> None:
    if inspect.isawaitable(answer):
        await answer
