"""Training jobs that survive their queue: each is an effect in the ledger, written before anything starts.

Killed and opened again on the same ledger, the queue watches the jobs that still run, starts those that waited, and
runs none twice.  One process at a time holds it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from agents.training.entry import Entry, approval_id, fresh, spec_of
from agents.training.event_log import EventLog
from agents.training.works import TooManyJobsError, Works
from core.errors import ConflictError, NotFoundError, RatchetError, StorageError
from memory.effects import Effect
from memory.leases import Lease
from memory.ledger import Ledger
from runtime.control_plane.wire import (
    Approval,
    Decision,
    JobEvent,
    Keeper,
    TrainingJob,
    TrainingResults,
    TrainRequest,
    Work,
)
from runtime.jobs import JobQueue, JobReport, JobResult, JobState, Started, read_reports, read_started

__all__ = ["TrainingQueue"]

MAX_WAITING = 10_000
ANSWER_FIRST_S = 0.001
"""Whoever submitted is answered before a keeper is started: that holds the loop for some milliseconds."""
ENDS = {"ok": JobState.COMPLETED, "stopped": JobState.COMPLETED, "cancelled": JobState.CANCELLED}


class TrainingQueue:
    """`works` are what may run.  Use it as an async context manager, or `open` and `close` it."""

    def __init__(
        self,
        ledger: Ledger,
        experiments: Path,
        *,
        parallel: int = 3,
        works: Works,
        namespace: str = "training",
    ) -> None:
        self.parallel = parallel
        self.works = works
        self._ledger = ledger
        self._experiments = experiments
        self._namespace = namespace
        self._jobs = JobQueue(parallel)
        self._entries: dict[str, Entry] = {}
        self._lease: Lease | None = None
        self.log = EventLog(ledger, namespace)
        self.unreadable: list[str] = []
        """Effects of another version that were left as they are."""

    # ---------------------------------------------------------- open and close

    async def open(self) -> Self:
        """Take the lease and go on with what is unfinished.  Raises BusyError when another process holds it."""
        self._lease = self._ledger.leases.acquire(f"{self._namespace} queue")
        answered = {effect.key: effect for effect in self._ledger.effects.of(self._namespace, "approval")}
        unfinished: list[Entry] = []
        for effect in self._ledger.effects.of(self._namespace, "training"):
            try:
                request = TrainRequest.model_validate(effect.request["request"])
                entry = fresh(request, Work.model_validate(effect.request["work"]), effect)
            except (KeyError, ValidationError):
                self.unreadable.append(effect.key)
                continue
            self._entries[request.experiment_id] = entry
            if request.requires_approval:
                known = answered.get(self._key(approval_id(request)))
                entry.approval_effect = known or self._ask(entry)
                entry.approval = _approval(entry)
            if effect.state == "finished":
                self._conclude(entry, TrainingResults.model_validate_json(effect.result), effect.updated_at)
            else:
                unfinished.append(entry)
        for entry in unfinished:
            effect = entry.effect
            entry.effect = self._ledger.effects.begin(effect.key, effect.kind, self._namespace, effect.request)
            self._go_on(entry)
        self.log.flush()
        return self

    async def close(self, *, cancel: bool = False) -> None:
        """Let go of everything.  Running jobs are left to their keepers, or ended with `cancel`."""
        if cancel:
            at_work = [name for name, entry in self._entries.items() if entry.task is not None]
            await asyncio.gather(*map(self.cancel, at_work))
        self._jobs.leave()
        self.log.close()
        tasks = [entry.task for entry in self._entries.values() if entry.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.log.flush()
        if self._lease is not None:
            self._ledger.leases.release(self._lease)
            self._lease = None

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # ------------------------------------------------------------------ asking

    def submit(self, request: TrainRequest) -> tuple[TrainingJob, bool]:
        """Take a request; answers the job and whether it is new.

        Raises ConflictError when the id stands for another request, NotAllowedError when its command may not run,
        TooManyJobsError, and StorageError.
        """
        known = self._entries.get(request.experiment_id)
        if known is not None:
            if known.request != request:
                raise ConflictError(
                    f"experiment {request.experiment_id} was submitted with another request",
                    where=_difference(known.request, request),
                    hint="send the same request again, or choose another experiment_id",
                )
            return known.job, False
        work = self.works.of(request)
        if sum(not entry.job.finished for entry in self._entries.values()) >= MAX_WAITING:
            raise TooManyJobsError(f"{MAX_WAITING:,} jobs are unfinished", hint="wait, or cancel some")
        told = {"request": request.model_dump(mode="json"), "work": work.model_dump(mode="json")}
        effect = self._ledger.effects.begin(self._key(request.experiment_id), "training", self._namespace, told)
        entry = self._entries[request.experiment_id] = fresh(request, work, effect)
        if request.requires_approval:
            entry.approval_effect = self._ask(entry)
            entry.approval = _approval(entry)
        self._go_on(entry)
        return entry.job, True

    def decide(self, name: str, decision: Decision) -> Approval:
        """Answer an approval, once.  Raises NotFoundError, and ConflictError when it was answered before."""
        entry = next((e for e in self._entries.values() if e.approval is not None and e.approval.id == name), None)
        if entry is None or entry.approval is None:
            raise NotFoundError(f"there is no approval {name!r}", hint="GET /approvals lists those that wait")
        if decision.request_hash not in ("", entry.approval.request_hash):
            raise ConflictError(f"approval {name} is of another request", where="request_hash", hint="look at it again")
        if not self._answer(entry, decision.decision, decision.reason):
            raise ConflictError(f"approval {name} was answered: {entry.approval.decision}", hint="an answer is final")
        if decision.decision == "approve":
            self._launch(entry)
        else:
            self._end_unrun(entry, "rejected", decision.reason or "rejected by a person")
        return entry.approval

    async def cancel(self, experiment_id: str) -> TrainingJob:
        """End a job that waits or runs; returns when its processes are dead.  A finished one stays as it is."""
        entry = self._entry(experiment_id)
        if entry.job.finished:
            return entry.job
        entry.cancelled = True
        if entry.task is None:
            self._answer(entry, "withdrawn", "the job was cancelled")
            self._end_unrun(entry, "", "cancelled before it started")
        else:
            await self._jobs.cancel(experiment_id)
            await entry.ended.wait()
        return entry.job

    # ----------------------------------------------------------------- looking

    def job(self, experiment_id: str) -> TrainingJob:
        """How a job stands.  Raises NotFoundError."""
        return self._entry(experiment_id).job

    def jobs(self) -> list[TrainingJob]:
        """Every job, oldest first."""
        return [entry.job for entry in self._entries.values()]

    def results(self, experiment_id: str) -> TrainingResults | None:
        """What came of a job; None while it has not finished.  Raises NotFoundError."""
        return self._entry(experiment_id).results

    def approvals(self) -> list[Approval]:
        """Every approval, oldest first."""
        return [entry.approval for entry in self._entries.values() if entry.approval is not None]

    async def wait(self, experiment_ids: Iterable[str], timeout_s: float | None = None) -> dict[str, JobState]:
        """The states of the jobs when all have finished, or when the time is up.  Raises NotFoundError."""
        entries = {name: self._entry(name) for name in experiment_ids}
        waiting = [asyncio.ensure_future(entry.ended.wait()) for entry in entries.values()]
        if waiting:
            try:
                await asyncio.wait(waiting, timeout=timeout_s)
            finally:
                for one in waiting:
                    one.cancel()
        return {name: entry.job.status for name, entry in entries.items()}

    def follow(self, after: int = 0, experiment_id: str | None = None) -> AsyncIterator[JobEvent]:
        """Events after the number `after`: of one job, to its end; of all, until the queue is closed."""
        if experiment_id is None:
            return self.log.follow(after)
        entry = self._entry(experiment_id)
        return self.log.follow(after, experiment_id, entry.ended.is_set)

    # ---------------------------------------------------------------- carrying

    def _go_on(self, entry: Entry) -> None:
        """From the state the ledger has: wait for an answer, run, or end."""
        if entry.approval is None or entry.approval.decision == "approve":
            self._launch(entry)
        elif not entry.approval.decision:
            self.log.state(entry.request.experiment_id, 1, JobState.PENDING)
        elif entry.approval.decision == "reject":
            self._end_unrun(entry, "rejected", entry.approval.reason or "rejected by a person")
        else:
            self._end_unrun(entry, "", "cancelled before it started")

    def _launch(self, entry: Entry) -> None:
        name = entry.request.experiment_id
        self._change(entry, status=JobState.QUEUED)
        entry.task = asyncio.create_task(self._carry_out(entry), name=f"training {name}")

    async def _carry_out(self, entry: Entry) -> None:
        name = entry.request.experiment_id
        try:
            await asyncio.sleep(ANSWER_FIRST_S)
            started = read_started(spec_of(entry, self._experiments).directory)
            attempt = started.attempt if started is not None else 1
            result = await self._attempt(entry, attempt)
            while entry.retries.allows(result) and not entry.cancelled:
                attempt += 1
                self._change(entry, status=JobState.QUEUED, attempt=attempt)
                result = await self._attempt(entry, attempt)
        except (RatchetError, ValueError) as error:
            reason = str(error).replace("\n", "; ")
            result = JobResult(job_id=name, attempt=entry.job.attempt, status="failed", cause="executor", reason=reason)
        self._finish(entry, result)

    async def _attempt(self, entry: Entry, attempt: int) -> JobResult:
        name = entry.request.experiment_id
        spec = spec_of(entry, self._experiments).model_copy(update={"attempt": attempt})
        position = 0

        def started(running: Started) -> None:
            identity = running.identity
            self._ledger.effects.started(entry.effect, json.dumps({"attempt": attempt, "identity": list(identity)}))
            told = read_started(spec.directory)
            at = told.at if told is not None else self._ledger.clock()
            keeper = Keeper.of(identity)
            self._change(entry, status=JobState.RUNNING, attempt=attempt, started_at=at, keeper=keeper)

        def reported(report: JobReport) -> None:
            nonlocal position
            position += 1
            self.log.report(name, attempt, position, report)

        if entry.cancelled:
            return JobResult(job_id=name, attempt=attempt, status="cancelled", reason="cancelled before it started")
        result = await self._jobs.run(spec, on_report=reported, on_start=started)
        told = read_started(spec.directory)
        if told is not None and told.attempt == attempt:  # it may have reported while nobody watched
            self.log.state(name, attempt, JobState.RUNNING)
            for report in read_reports(spec.directory)[position:]:
                reported(report)
        return result

    def _finish(self, entry: Entry, result: JobResult) -> None:
        results = TrainingResults.of(entry.request, ENDS.get(result.status, JobState.FAILED), result)
        with contextlib.suppress(StorageError):  # after a restart the job's own result is found again
            self._ledger.effects.finish(entry.effect, results.model_dump_json())
        self._conclude(entry, results, self._ledger.clock())
        self.log.flush()  # before anybody sees that it has ended: a follower is told all of it
        entry.ended.set()
        self.log.wake()

    def _end_unrun(self, entry: Entry, cause: str, reason: str) -> None:
        name = entry.request.experiment_id
        self._finish(entry, JobResult(job_id=name, attempt=1, status="cancelled", cause=cause, reason=reason))

    def _conclude(self, entry: Entry, results: TrainingResults, at: float) -> None:
        entry.results = results
        self._change(
            entry,
            status=results.status,
            attempt=results.attempt,
            finished_at=at,
            keeper=None,
            cause=results.cause,
            reason=results.reason,
        )
        if entry.effect.state == "finished":
            entry.ended.set()

    def _change(self, entry: Entry, **changes: object) -> None:
        entry.job = TrainingJob.model_validate({**entry.job.model_dump(), **changes})
        job = entry.job
        self.log.state(job.experiment_id, job.attempt, job.status, job.cause, job.reason)

    # ---------------------------------------------------------------- approvals

    def _ask(self, entry: Entry) -> Effect:
        told = {"experiment_id": entry.request.experiment_id, "request_hash": entry.request.request_hash()}
        key = self._key(approval_id(entry.request))
        return self._ledger.effects.begin(key, "approval", self._namespace, told)

    def _answer(self, entry: Entry, decision: str, reason: str) -> bool:
        """Store an answer; False when there was one."""
        assert entry.approval_effect is not None
        assert entry.approval is not None
        at = self._ledger.clock()
        told = {"decision": decision, "reason": reason, "decided_at": at}
        if entry.approval.decision or not self._ledger.effects.finish(entry.approval_effect, json.dumps(told)):
            return False
        entry.approval = Approval.model_validate({**entry.approval.model_dump(), **told})
        return True

    # ------------------------------------------------------------------- parts

    def _entry(self, experiment_id: str) -> Entry:
        try:
            return self._entries[experiment_id]
        except KeyError:
            raise NotFoundError(f"there is no experiment {experiment_id!r}", hint="GET /jobs lists them") from None

    def _key(self, name: str) -> str:
        return f"{self._namespace}:{name}"


def _approval(entry: Entry) -> Approval:
    assert entry.approval_effect is not None
    request, effect = entry.request, entry.approval_effect
    answer = json.loads(effect.result) if effect.state == "finished" else {}
    return Approval(
        id=approval_id(request),
        experiment_id=request.experiment_id,
        campaign=request.campaign,
        config=request.config,
        proposal_type=request.proposal_type,
        risk_level=request.risk_level,
        request_hash=request.request_hash(),
        asked_at=effect.created_at,
        **answer,
    )


def _difference(old: TrainRequest, new: TrainRequest) -> str:
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    return ", ".join(name for name in before if before[name] != after[name])
