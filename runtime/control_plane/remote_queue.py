"""The jobs of a campaign, run by a control plane: the interface of `JobQueue`, so that nobody above sees a difference.

A control plane that is down, slow or untrue is a failed result of that job, with the cause `control_plane`.  One that
is killed and started again meanwhile is waited for: the job went on under its keeper.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import BusyError, ConfigError, UnavailableError
from runtime.control_plane.client import ControlPlaneClient, ControlPlaneError, SilentError, UntrueError
from runtime.control_plane.mirror import Mirror
from runtime.control_plane.wire import RetryPolicy, TrainingJob, TrainingResults, TrainRequest, Work
from runtime.jobs import JobResult, JobSpec, JobState, OnReport, OnStart, read_result, resolve_command

__all__ = ["Patience", "RemoteQueue"]

WAITING = (JobState.PENDING, JobState.QUEUED)


@dataclass(frozen=True)
class Patience:
    """How long a silent control plane is asked again, in seconds."""

    submit_s: float = 15.0
    reconnect_s: float = 120.0
    first_pause_s: float = 0.05
    longest_pause_s: float = 2.0
    overtime_s: float = 60.0
    """After a running job's own time limit: by then its end must have been told."""


class RemoteQueue:
    """Jobs of one campaign; `works` are all that they may run, its own first.

    Their ids there are their ids here with `namespace`, for other campaigns use the control plane too.  How many run at
    once is the control plane's to say; `parallel` is what the campaign asks for.
    """

    def __init__(
        self,
        client: ControlPlaneClient,
        *,
        works: Mapping[str, Work],
        namespace: str,
        patience: Patience | None = None,
    ) -> None:
        self._client = client
        self._works = dict(works)
        self._namespace = namespace
        self._patience = patience or Patience()
        self._running: dict[str, str] = {}
        self._cancelled: set[str] = set()
        self._open = True

    @property
    def parallel(self) -> int:
        return next(iter(self._works.values())).limits.parallel

    async def run(self, spec: JobSpec, on_report: OnReport | None = None, on_start: OnStart | None = None) -> JobResult:
        """As `JobQueue.run`; an attempt that a shutdown had cancelled there is run anew as the next one."""
        if not self._open:
            raise UnavailableError("the job queue has been shut down")
        if spec.id in self._running:
            raise BusyError(f"job {spec.id} is in the queue already")
        known = read_result(spec.directory, spec.attempt)
        if known is not None:
            return known
        self._running[spec.id] = ""
        try:
            return await self._carry_out(spec, on_report, on_start)
        except ControlPlaneError as error:
            return JobResult(
                job_id=spec.id,
                attempt=spec.attempt,
                status="cancelled" if spec.id in self._cancelled else "failed",
                cause="control_plane",
                reason=f"{error.what}; try: {error.hint}" if error.hint else error.what,
            )
        except BaseException:
            await asyncio.shield(self._end(self._running[spec.id]))
            raise
        finally:
            del self._running[spec.id]
            self._cancelled.discard(spec.id)

    async def cancel(self, job_id: str) -> bool:
        """End a job; its `run` then returns a result with status `cancelled`.  False when there is no such job."""
        there = self._running.get(job_id)
        if there is None:
            return False
        self._cancelled.add(job_id)
        await self._end(there)
        return True

    async def shutdown(self) -> None:
        """Cancel what runs; no job is taken any more."""
        self._open = False
        await asyncio.gather(*map(self.cancel, list(self._running)))
        await self._client.close()

    # ---------------------------------------------------------------- carrying

    async def _carry_out(self, spec: JobSpec, on_report: OnReport | None, on_start: OnStart | None) -> JobResult:
        attempt = spec.attempt
        while True:
            request = self._request(spec, attempt)
            self._running[spec.id] = request.experiment_id
            job, new = await self._submit(request)
            if new or job.status != JobState.CANCELLED or spec.id in self._cancelled:
                break
            attempt += 1
        if spec.id in self._cancelled:
            await self._end(request.experiment_id)
        with Mirror(spec, self._client.url, on_report, on_start) as mirror:
            results = await self._follow(request.experiment_id, mirror, spec.limits.time_s)
            self._check(results, request, spec)
            result = results.result(spec.id, spec.attempt)
            mirror.keep(result)
        return result

    def _request(self, spec: JobSpec, attempt: int) -> TrainRequest:
        suffix = f".{attempt}" if attempt > 1 else ""
        campaign, work = self._work_of(spec)
        return TrainRequest(
            experiment_id=f"{spec.id}-{self._namespace}{suffix}",
            config=spec.config,
            seed=spec.seed,
            campaign=campaign,
            fingerprint=work.fingerprint(),
            work=work,
            stop_rule=spec.stop_rule,
            retries=RetryPolicy(lost=0),  # whoever calls `run` decides about another attempt
        )

    def _work_of(self, spec: JobSpec) -> tuple[str, Work]:
        """The work whose command, filled in for this job, is the job's.  Raises ConfigError when there is none."""
        for name, work in self._works.items():
            config = spec.directory / "config.json"
            if resolve_command(work.command, Path(work.here), config, spec.directory) == spec.command:
                return name, work
        raise ConfigError(
            "the job's command is none of its campaign's, and a control plane runs no other",
            where=f"job {spec.id}",
            hint="run it without a control plane",
        )

    async def _submit(self, request: TrainRequest) -> tuple[TrainingJob, bool]:
        """Submitting twice is submitting once, so silence is met by asking again, for a while."""
        again = Again(self._patience, self._patience.submit_s)
        while True:
            try:
                return await self._client.submit(request)
            except SilentError:
                if not await again.pause():
                    raise

    async def _follow(self, name: str, mirror: Mirror, limit_s: float) -> TrainingResults:
        """The results of the job, its events told as they come; over as many connections as it takes."""
        again = Again(self._patience, self._patience.reconnect_s)
        loop = asyncio.get_running_loop()
        latest: float | None = None
        while True:
            try:
                if not mirror.ended:
                    async with (
                        asyncio.timeout_at(latest) as clock,
                        contextlib.aclosing(self._client.events(name, mirror.last)) as events,
                    ):
                        async for event in events:
                            again = Again(self._patience, self._patience.reconnect_s)
                            if latest is None and event.status not in WAITING:
                                latest = loop.time() + limit_s + self._patience.overtime_s
                                clock.reschedule(latest)
                            await mirror.tell(event)
                            if mirror.ended:
                                break
                if mirror.ended or (await self._client.job(name)).finished:
                    return await self._client.results(name)
                if not await again.pause():
                    raise UntrueError("the control plane ends the job's event stream before the job", where=name)
            except TimeoutError:
                await self._end(name)
                raise UntrueError(
                    f"the control plane told no end of a job that may run {limit_s:g} s", where=self._client.url
                ) from None
            except SilentError:
                if mirror.job_id in self._cancelled or not await again.pause():
                    raise

    def _check(self, results: TrainingResults, request: TrainRequest, spec: JobSpec) -> None:
        """Raises UntrueError for results that are not of this request, or cannot be."""
        asked = request.model_dump(mode="json", include={"config", "seed"})
        if results.model_dump(mode="json", include={"config", "seed"}) != asked:
            raise UntrueError("the control plane's results are of another configuration", where=request.experiment_id)
        if fault := results.fault(spec.metrics_required):
            raise UntrueError(f"the control plane's results cannot be: {fault}", where=request.experiment_id)

    async def _end(self, name: str) -> None:
        """Cancel a job there, if it can be told so."""
        if name:
            with contextlib.suppress(ControlPlaneError):
                await self._client.cancel(name)


class Again:
    """Growing pauses between tries, until the patience is over."""

    def __init__(self, patience: Patience, limit_s: float) -> None:
        self._pause_s = patience.first_pause_s
        self._longest_s = patience.longest_pause_s
        self._limit_s = limit_s
        self._deadline: float | None = None

    async def pause(self) -> bool:
        """Wait before the next try; False at once when there is to be none."""
        now = asyncio.get_running_loop().time()
        if self._deadline is None:
            self._deadline = now + self._limit_s
        if now >= self._deadline:
            return False
        await asyncio.sleep(min(self._pause_s, self._deadline - now))
        self._pause_s = min(2 * self._pause_s, self._longest_s)
        return True
