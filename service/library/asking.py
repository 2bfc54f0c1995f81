"""Jobs that the caller carries out: each is asked for, and ends when its value is told."""

from __future__ import annotations

import asyncio
import math
import queue
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

from core.errors import ConfigError, NotFoundError
from core.process import ProcessIdentity, identify
from runtime.jobs import JobResult, JobSpec, OnReport, OnStart

__all__ = ["Asked", "AskedJobs"]


@dataclass(frozen=True)
class Asked:
    """A configuration to measure, with the seed to measure it on: the same trial on other seeds shows the noise."""

    id: str
    config: dict[str, Any]
    seed: int


@dataclass(frozen=True)
class _Here:
    """The job runs in this very process."""

    attempt: int
    identity: ProcessIdentity


class AskedJobs:
    """The trials of one run.  `next` is for the caller's thread, all else for the run's event loop."""

    def __init__(self, metric: str, parallel: int) -> None:
        self.parallel = parallel
        self._metric = metric
        self._waiting: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        self._out: dict[str, asyncio.Future[JobResult]] = {}
        self._handed: set[str] = set()
        self._specs: dict[str, JobSpec] = {}

    def next(self, grace_s: float) -> Asked | None:
        """The next trial.  Waits for the council, but only `grace_s` while trials are out; None when there is none."""
        while True:
            try:
                asked = self._waiting.get(timeout=grace_s if self._handed else None)
            except queue.Empty:
                return None
            if asked is None:
                self._waiting.put(None)  # for the next call
                return None
            if asked.id in self._out:
                self._handed.add(asked.id)
                return asked

    def end(self) -> None:
        """The run is over: nothing more is asked for."""
        self._waiting.put(None)

    async def tell(self, job_id: str, value: float | Mapping[str, float] | None, failed: str | None) -> None:
        """End a trial.  Raises NotFoundError, and ConfigError for what is no value."""
        answer = self._out.get(job_id)
        if answer is None or answer.done():
            out = ", ".join(sorted(self._handed)) or "none"
            raise NotFoundError(f"no trial {job_id!r} waits for a value", where="tell", hint=f"out: {out}")
        spec = self._specs[job_id]
        if failed is not None:
            ended = JobResult(job_id=job_id, attempt=spec.attempt, status="failed", cause="told", reason=failed[:500])
        else:
            metrics = self._metrics(value)
            missing = [name for name in spec.metrics_required if name not in metrics]
            if missing:
                raise ConfigError(f"{missing[0]} is missing", where=f"tell({job_id!r})", hint="give every metric")
            ended = JobResult(job_id=job_id, attempt=spec.attempt, status="ok", metrics=metrics)
        self._handed.discard(job_id)
        answer.set_result(ended)

    # ------------------------------------------------------------ as job queue
    async def run(
        self,
        spec: JobSpec,
        on_report: OnReport | None = None,  # noqa: ARG002  # the queue's signature; the caller reports to nobody
        on_start: OnStart | None = None,
    ) -> JobResult:
        """Ask for the trial, and wait until it was told."""
        answer: asyncio.Future[JobResult] = asyncio.get_running_loop().create_future()
        self._out[spec.id] = answer
        self._specs[spec.id] = spec
        if on_start is not None:
            started = on_start(_Here(spec.attempt, identify()))
            if started is not None:
                await started
        self._waiting.put(Asked(spec.id, dict(spec.config), spec.seed))
        try:
            return await answer
        finally:
            del self._out[spec.id], self._specs[spec.id]
            self._handed.discard(spec.id)

    async def cancel(self, job_id: str) -> bool:
        """Take a trial back."""
        answer = self._out.get(job_id)
        if answer is None or answer.done():
            return False
        attempt = self._specs[job_id].attempt
        answer.set_result(JobResult(job_id=job_id, attempt=attempt, status="cancelled", reason="cancelled"))
        return True

    async def shutdown(self) -> None:
        for job_id in list(self._out):
            await self.cancel(job_id)

    def _metrics(self, value: float | Mapping[str, float] | None) -> dict[str, float]:
        told = value if isinstance(value, Mapping) else {self._metric: value}
        for name, number in told.items():
            if isinstance(number, bool) or not isinstance(number, Real) or not math.isfinite(number):
                raise ConfigError(
                    f"{name} = {number!r} is no finite number", where="tell", hint="or tell(…, failed='why')"
                )
        return {str(name): float(number) for name, number in told.items() if number is not None}
