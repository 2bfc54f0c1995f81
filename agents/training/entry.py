"""One job of the queue: what was asked, how it stands, and what came of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from memory.effects import Effect
from runtime.control_plane.wire import Approval, RetryPolicy, TrainingJob, TrainingResults, TrainRequest, Work
from runtime.jobs import JobSpec, JobState, resolve_command

__all__ = ["Entry", "approval_id", "fresh", "spec_of"]


@dataclass
class Entry:
    request: TrainRequest
    work: Work
    effect: Effect
    job: TrainingJob
    results: TrainingResults | None = None
    approval: Approval | None = None
    approval_effect: Effect | None = None
    task: asyncio.Task[None] | None = None
    cancelled: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def retries(self) -> RetryPolicy:
        return self.request.retries


def approval_id(request: TrainRequest) -> str:
    """The id of the approval that a request waits for: another request of the same name needs another one."""
    return f"approval-{request.request_hash()[:16]}"


def fresh(request: TrainRequest, work: Work, effect: Effect) -> Entry:
    """The entry of a request that nothing was done for yet."""
    job = TrainingJob(
        experiment_id=request.experiment_id,
        status=JobState.PENDING,
        config=request.config,
        seed=request.seed,
        campaign=request.campaign,
        proposal_type=request.proposal_type,
        risk_level=request.risk_level,
        requires_approval=request.requires_approval,
        approval_id=approval_id(request) if request.requires_approval else "",
        submitted_at=effect.created_at,
    )
    return Entry(request=request, work=work, effect=effect, job=job)


def spec_of(entry: Entry, experiments: Path) -> JobSpec:
    """What the runtime needs to know; the job's folder is named by the experiment."""
    request, work = entry.request, entry.work
    directory = experiments / request.experiment_id
    return JobSpec(
        id=request.experiment_id,
        directory=directory,
        command=resolve_command(work.command, Path(work.here), directory / "config.json", directory),
        config=request.config,
        seed=request.seed,
        environment=work.environment,
        limits=work.limits,
        metrics_required=work.metrics_required,
        patterns=work.patterns,
        stop_rule=request.stop_rule,
    )
