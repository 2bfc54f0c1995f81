"""The two places where a `TrainingExecutor` runs its jobs, with one interface."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from agents.training.queue import TrainingQueue
from agents.training.works import Works
from core.errors import NotFoundError
from memory.ledger import Ledger
from runtime.control_plane.client import ControlPlaneClient, RefusedError, SilentError, UntrueError
from runtime.control_plane.wire import FINAL, Approval, Decision, TrainingJob, TrainingResults, TrainRequest
from runtime.jobs import JobState

__all__ = ["BackEnd", "Here", "There"]

PAUSE_S = 0.5
"""Between tries to reach a control plane that fell silent while its jobs are waited for."""


class BackEnd(Protocol):
    """Where jobs run.  Every method raises RatchetError when it cannot."""

    async def open(self) -> None: ...

    async def submit(self, request: TrainRequest) -> TrainingJob: ...

    async def cancel(self, experiment_id: str) -> TrainingJob: ...

    async def job(self, experiment_id: str) -> TrainingJob: ...

    async def jobs(self) -> list[TrainingJob]: ...

    async def results(self, experiment_id: str) -> TrainingResults | None: ...

    async def wait(self, experiment_ids: Iterable[str], timeout_s: float | None) -> dict[str, JobState]: ...

    async def approvals(self) -> list[Approval]: ...

    async def decide(self, approval_id: str, decision: Decision) -> Approval: ...

    async def close(self, *, cancel: bool) -> None: ...


class Here:
    """A queue in this process."""

    def __init__(self, ledger: Ledger, experiments: Path, works: Works, parallel: int) -> None:
        self._ledger = ledger
        self._queue = TrainingQueue(ledger, experiments, parallel=parallel, works=works)

    async def open(self) -> None:
        await self._queue.open()

    async def submit(self, request: TrainRequest) -> TrainingJob:
        return self._queue.submit(request)[0]

    async def cancel(self, experiment_id: str) -> TrainingJob:
        return await self._queue.cancel(experiment_id)

    async def job(self, experiment_id: str) -> TrainingJob:
        return self._queue.job(experiment_id)

    async def jobs(self) -> list[TrainingJob]:
        return self._queue.jobs()

    async def results(self, experiment_id: str) -> TrainingResults | None:
        return self._queue.results(experiment_id)

    async def wait(self, experiment_ids: Iterable[str], timeout_s: float | None) -> dict[str, JobState]:
        return await self._queue.wait(experiment_ids, timeout_s)

    async def approvals(self) -> list[Approval]:
        return [one for one in self._queue.approvals() if not one.decision]

    async def decide(self, approval_id: str, decision: Decision) -> Approval:
        return self._queue.decide(approval_id, decision)

    async def close(self, *, cancel: bool) -> None:
        await self._queue.close(cancel=cancel)
        self._ledger.close()


class There:
    """A control plane.  How many jobs run at once is its to say."""

    def __init__(self, client: ControlPlaneClient) -> None:
        self._client = client

    async def open(self) -> None:
        """Nothing is asked before it is needed."""

    async def submit(self, request: TrainRequest) -> TrainingJob:
        return (await self._client.submit(request))[0]

    async def cancel(self, experiment_id: str) -> TrainingJob:
        return await self._client.cancel(experiment_id)

    async def job(self, experiment_id: str) -> TrainingJob:
        with _absent(experiment_id):
            return await self._client.job(experiment_id)

    async def jobs(self) -> list[TrainingJob]:
        return await self._client.jobs()

    async def results(self, experiment_id: str) -> TrainingResults | None:
        with _absent(experiment_id):
            try:
                return await self._client.results(experiment_id)
            except RefusedError as error:
                if error.status == 409:
                    return None
                raise

    async def wait(self, experiment_ids: Iterable[str], timeout_s: float | None) -> dict[str, JobState]:
        """All at once, by their event streams; a control plane that is started again meanwhile is found again."""
        known = dict.fromkeys(experiment_ids, JobState.PENDING)

        async def follow(name: str) -> None:
            after = 0
            while known[name] not in FINAL:
                try:
                    known[name] = (await self.job(name)).status
                    if known[name] not in FINAL:
                        async with contextlib.aclosing(self._client.events(name, after)) as events:
                            async for event in events:
                                after = event.seq
                                known[name] = event.status or known[name]
                except UntrueError:
                    known[name] = JobState.FAILED  # whoever collects it is told why
                except SilentError:
                    if timeout_s is None:
                        raise
                if known[name] not in FINAL:
                    await asyncio.sleep(PAUSE_S)

        try:
            async with asyncio.timeout(timeout_s), asyncio.TaskGroup() as group:
                for name in known:
                    group.create_task(follow(name))
        except TimeoutError:
            pass
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return known

    async def approvals(self) -> list[Approval]:
        return await self._client.approvals()

    async def decide(self, approval_id: str, decision: Decision) -> Approval:
        return await self._client.decide(approval_id, decision)

    async def close(self, *, cancel: bool) -> None:
        """The jobs are the control plane's: `cancel` is for jobs of this process."""
        await self._client.close()


@contextlib.contextmanager
def _absent(experiment_id: str) -> Iterator[None]:
    try:
        yield
    except RefusedError as error:
        if error.status != 404:
            raise
        raise NotFoundError(f"there is no experiment {experiment_id!r}", where=error.where) from error
