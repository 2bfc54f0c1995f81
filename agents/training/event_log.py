"""What happens to the jobs of a queue, kept in the ledger in order, and followed live from any point."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from core.errors import StorageError
from core.events import TrainingChanged, TrainingReported
from memory.ledger import Ledger
from runtime.control_plane.wire import JobEvent
from runtime.jobs import JobReport, JobState

__all__ = ["EventLog"]

PAGE = 500
"""Events read at once for one follower."""
UNTOLD_LIMIT = 100_000
"""Events held while the disk is full; the oldest reports beyond it are dropped, the jobs' own files keep them."""


class EventLog:
    """Events have keys, so that a job watched again after a restart tells nothing twice.

    All events of one turn of the event loop are written in one transaction.
    """

    def __init__(self, ledger: Ledger, namespace: str) -> None:
        self._ledger = ledger
        self._namespace = namespace
        self._untold: list[TrainingChanged | TrainingReported] = []
        self._changed = asyncio.Event()
        self._flushing = False
        self._open = True

    def state(self, experiment_id: str, attempt: int, status: JobState, cause: str = "", reason: str = "") -> None:
        self._untold.append(
            TrainingChanged(
                campaign_id=self._namespace,
                experiment_id=experiment_id,
                attempt=attempt,
                status=status.value,
                cause=cause,
                reason=reason,
            )
        )
        self._flush_soon()

    def report(self, experiment_id: str, attempt: int, position: int, report: JobReport) -> None:
        self._untold.append(
            TrainingReported(
                campaign_id=self._namespace,
                experiment_id=experiment_id,
                attempt=attempt,
                position=position,
                step=report.step,
                time_s=report.time_s,
                metrics=report.metrics,
            )
        )
        self._flush_soon()

    def flush(self) -> None:
        """Write what was not written yet.  While the disk is full it is kept here and tried again with the next."""
        self._flushing = False
        if not self._untold:
            return
        try:
            self._ledger.append(*self._untold)
            self._untold.clear()
        except StorageError:
            del self._untold[:-UNTOLD_LIMIT]
        self.wake()

    @property
    def last(self) -> int:
        """The number of the newest event."""
        return self._ledger.last_seq()

    async def follow(
        self, after: int, experiment_id: str | None = None, ended: Callable[[], bool] = lambda: False
    ) -> AsyncIterator[JobEvent]:
        """Every event after `after`, of one job or of all, as it comes; until `ended` and all is told, or `close`."""
        cursor = after
        while self._open:
            changed, over = self._changed, ended()
            page = list(
                self._ledger.events(
                    self._namespace,
                    after=cursor,
                    types=(TrainingChanged, TrainingReported),
                    subject=experiment_id,
                    limit=PAGE,
                )
            )
            for event in page:
                assert isinstance(event, TrainingChanged | TrainingReported)
                cursor = event.seq
                yield _as_told(event)
            if page:
                continue
            if over:
                return
            await changed.wait()

    def close(self) -> None:
        """End every follower."""
        self._open = False
        self.wake()

    def wake(self) -> None:
        """Let every follower look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self.flush)


def _as_told(event: TrainingChanged | TrainingReported) -> JobEvent:
    where = {"seq": event.seq, "at": event.at, "experiment_id": event.experiment_id, "attempt": event.attempt}
    if isinstance(event, TrainingChanged):
        return JobEvent(**where, kind="state", status=JobState(event.status), cause=event.cause, reason=event.reason)
    return JobEvent(
        **where, kind="report", report=JobReport(step=event.step, time_s=event.time_s, metrics=event.metrics)
    )
