"""What a history says, as plain data: the rows behind `status`, `history`, `show`, `jobs` and the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.events import JobFinished, JobStarted
from core.process import ProcessIdentity
from core.records import Experiment
from graph.model_use import model_use
from graph.summary import fork_of
from memory.approvals import Approvals
from memory.history import History
from memory.ledger import Ledger, StoredCampaign
from runtime.jobs import read_started
from service.live_rows import improvement_rows
from service.state import resume_command

__all__ = [
    "campaign_row",
    "job_record",
    "job_rows",
    "proposal_record",
    "running_rows",
    "standing",
    "trial_rows",
]

JobEvents = tuple[JobStarted | None, JobFinished | None]


def standing(ledger: Ledger, stored: StoredCampaign, history: History) -> dict[str, Any]:
    """How a campaign stands now: who runs it, how far it is, the best against the baseline, jobs under way."""
    objective = stored.definition.objective
    owner = ledger.leases.owner(f"campaign {stored.id}")
    baseline, best = history.baseline, history.best()
    counted = Counter(outcome.status for outcome in history.outcomes.values())
    return {
        "campaign": stored.id,
        "status": _status(stored, owner),
        "pid": owner.pid if owner else None,
        "host": owner.host if owner else None,
        "cycle": max(history.cycles, default=0),
        "finished_cycles": history.last_finished_cycle,
        "cycles": stored.definition.budget.cycles,
        "objective": {"metric": objective.metric, "goal": objective.goal},
        "baseline": None if baseline is None else {"value": objective.value(baseline.mean), "sd": baseline.noise_sd},
        "best": None if best is None else _best(best, history, objective.value(best.score or 0.0)),
        "jobs": {status: counted[status] for status in ("ok", "failed", "stopped", "cancelled")},
        "improvements": (
            dict(Counter(row["status"] for row in improvement_rows(history)))
            if stored.definition.kind == "live"
            else None
        ),
        "running": running_rows(stored, history, ledger.clock()),
        "model": model_use(stored.definition, history),
        "fork_of": fork_of(history),
        "started_at": history.started_at or stored.created_at,
        "updated_at": max(stored.updated_at, history.last_at),
        "ended": getattr(history.ended, "reason", None) if owner is None else None,
        "waiting": [
            {"id": one.id, "tier": one.tier, "risk": one.risk, "title": one.title, "expires_at": one.expires_at}
            for one in Approvals(ledger).waiting(stored.id)
        ],
        "resume": None if owner or stored.status in ("finished", "failed") else resume_command(stored.id),
    }


def campaign_row(stored: StoredCampaign, history: History, owner: ProcessIdentity | None) -> dict[str, Any]:
    """One line about a campaign."""
    objective = stored.definition.objective
    best = history.best()
    return {
        "campaign": stored.id,
        "status": _status(stored, owner),
        "cycles": history.last_finished_cycle,
        "trials": len(history.experiments()),
        "metric": objective.metric,
        "baseline": None if history.baseline is None else objective.value(history.baseline.mean),
        "best": None if best is None else objective.value(best.score or 0.0),
        "verdict": history.verdict.answer if history.verdict else None,
        "fork_of": fork_of(history),
        "started_at": history.started_at or stored.created_at,
    }


def trial_rows(stored: StoredCampaign, trials: Sequence[Experiment]) -> list[dict[str, Any]]:
    """One row a trial, its value in the metric's own direction."""
    objective = stored.definition.objective
    return [
        {
            "cycle": e.proposal.cycle,
            "proposal": e.proposal.id,
            "proposer": e.proposal.proposer,
            "value": None if e.score is None else objective.value(e.score),
            "status": e.outcome.status,
            "reason": e.outcome.reason or e.outcome.cause,
            "job": e.outcome.job_id,
            "seconds": e.outcome.duration_s,
            "config": e.config,
            "change": e.proposal.rationale if e.proposal.kind == "code" else "",
        }
        for e in trials
    ]


def job_rows(stored: StoredCampaign, history: History, now: float) -> list[dict[str, Any]]:
    """Every job of the campaign in the order in which they were first told of, running ones too."""
    metric = stored.definition.objective.metric
    jobs = [*history.jobs, *(job for job in history.ends if job not in history.jobs)]
    return [_job_row(job, (history.jobs.get(job), history.ends.get(job)), metric, now) for job in jobs]


def running_rows(stored: StoredCampaign, history: History, now: float) -> list[dict[str, Any]]:
    """The jobs that run now."""
    metric = stored.definition.objective.metric
    open_jobs = [(job, started) for job, started in history.jobs.items() if job not in history.ends]
    rows = (_job_row(job, (started, None), metric, now) for job, started in open_jobs)
    return [row for row in rows if row["status"] == "running"]


def proposal_record(history: History, proposal_id: str) -> dict[str, Any]:
    """Everything that was said about one proposal, whole."""
    for cycle in history.cycles.values():
        if (made := cycle.proposals.get(proposal_id)) is None:
            continue
        tally, ruling, ended = (
            cycle.tallies.get(proposal_id),
            cycle.rulings.get(proposal_id),
            cycle.outcomes.get(proposal_id),
        )
        return {
            "proposal": made.proposal.model_dump(mode="json"),
            "votes": [v.vote.model_dump(mode="json") for v in cycle.votes.get(proposal_id, [])],
            "tally": tally.tally.model_dump(mode="json") if tally else None,
            "ruling": ruling.ruling.model_dump(mode="json") if ruling else None,
            "score": ended.score if ended else None,
            "outcome": ended.outcome.model_dump(mode="json") if ended else None,
        }
    raise KeyError(proposal_id)


def job_record(ledger: Ledger, stored: StoredCampaign, job_id: str) -> dict[str, Any]:
    """A job whole: each attempt as it was started, and its outcome."""
    started: list[JobStarted] = []
    ended: list[JobFinished] = []
    for event in ledger.events(stored.id, types=(JobStarted, JobFinished)):
        if isinstance(event, JobStarted) and event.job_id == job_id:
            started.append(event)
        elif isinstance(event, JobFinished) and event.outcome.job_id == job_id:
            ended.append(event)
    return {
        "attempts": [event.model_dump(mode="json", exclude={"version", "type", "seq"}) for event in started],
        "purposes": list(dict.fromkeys([*(event.purpose for event in started), *(event.purpose for event in ended)])),
        "outcome": ended[0].outcome.model_dump(mode="json") if ended else None,
        "score": ended[0].score if ended else None,
    }


def _status(stored: StoredCampaign, owner: ProcessIdentity | None) -> str:
    """The ledger's word, mended by the lease: one that says `running` without an owner was killed."""
    if owner is not None:
        return "running"
    return "interrupted" if stored.status == "running" else stored.status


def _best(best: Experiment, history: History, value: float) -> dict[str, Any]:
    gain = None if history.baseline is None or best.score is None else best.score - history.baseline.mean
    return {
        "value": value,
        "gain": gain,
        "proposal": best.proposal.id,
        "proposer": best.proposal.proposer,
        "cycle": best.proposal.cycle,
        "config": best.config,
    }


def _job_row(job_id: str, events: JobEvents, metric: str, now: float) -> dict[str, Any]:
    started, ended = events
    row: dict[str, Any] = {
        "job": job_id,
        "attempt": started.attempt if started else 1,
        "purpose": ended.purpose if ended else started.purpose if started else "",
        "cycle": ended.cycle if ended else started.cycle if started else 0,
    }
    if ended is not None:
        outcome = ended.outcome
        value = outcome.metrics.get(metric) if outcome.ok else None
        return row | {
            "attempt": outcome.attempt,
            "status": outcome.status,
            "seconds": outcome.duration_s,
            "peak_memory_mb": outcome.peak_memory_mb or None,
            "value": value,
            "reason": outcome.reason or outcome.cause,
        }
    assert started is not None
    kept = read_started(Path(started.directory))
    alive = kept is not None and kept.attempt == started.attempt and kept.identity.alive()
    return row | {
        "status": "running" if alive else "unread",
        "seconds": max(0.0, now - started.at) if alive else None,
        "peak_memory_mb": None,
        "value": None,
        "reason": "" if alive else "it ended while nobody watched; `resume` reads what came of it",
    }
