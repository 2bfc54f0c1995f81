"""What can be exported as a table: trials, jobs, votes, events and episodes, one flat row each.

A column of a mapping is named `parameters.x` or `metrics.x`, so that no name of a user meets one of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, get_args

from core.events import JobFinished, JobStarted
from core.records import Outcome
from graph.episode_story import stories
from memory.history import History
from memory.ledger import Ledger, StoredCampaign
from service.exports.trials import Trial, trials_of

__all__ = ["WHAT", "Row", "What", "flat", "rows_of"]

What = Literal["trials", "jobs", "votes", "events", "episodes"]
WHAT: tuple[str, ...] = get_args(What)
MAPPINGS = ("parameters", "metrics")

Row = dict[str, Any]


def rows_of(what: What, ledger: Ledger, stored: StoredCampaign) -> Iterator[Row]:
    """The rows, oldest first.  `parameters` and `metrics` are mappings; times are UTC seconds, `seconds` a duration.

    Events and episodes are whole, as they are kept.
    """
    match what:
        case "trials":
            yield from map(_trial, trials_of(ledger, stored)[1])
        case "jobs":
            yield from _jobs(ledger, stored)
        case "votes":
            yield from _votes(History.load(ledger, stored.id))
        case "events":
            yield from (event.model_dump(mode="json") for event in ledger.events(stored.id))
        case "episodes":
            told = stories(stored, ledger.events(stored.id))
            yield from (story.episode().model_dump(mode="json", exclude={"version"}) for story in told)


def flat(rows: Iterable[Row]) -> tuple[list[str], list[list[Any]]]:
    """Columns and cells; those of parameters and metrics stand where their mapping stood, in the order of coming."""
    told = list(rows)
    own = list(dict.fromkeys(name for row in told for name in row))
    nested = {
        name: list(dict.fromkeys(key for row in told for key in row.get(name) or {}))
        for name in own
        if name in MAPPINGS and all(isinstance(row.get(name, {}), Mapping) for row in told)
    }
    columns = [
        column for name in own for column in ([f"{name}.{key}" for key in nested[name]] if name in nested else [name])
    ]
    cells = [
        [
            cell
            for name in own
            for cell in (
                [(row.get(name) or {}).get(key) for key in nested[name]] if name in nested else [row.get(name)]
            )
        ]
        for row in told
    ]
    return columns, cells


def _trial(trial: Trial) -> Row:
    proposal, outcome = trial.proposal, trial.outcome
    return {
        "number": trial.number,
        "cycle": proposal.cycle,
        "proposal": trial.id,
        "proposer": proposal.proposer,
        "source": proposal.source,
        "parameters": dict(trial.config),
        "value": trial.value,
        "status": outcome.status,
        "cause": outcome.cause,
        "seconds": outcome.duration_s,
        "metrics": dict(outcome.metrics),
        "seed": outcome.seed,
        "job": outcome.job_id,
        "votes": None if trial.tally is None else trial.tally.score,
        "expected": None if proposal.expected is None else proposal.expected.mean,
        "started_at": trial.started_at,
        "finished_at": trial.finished_at,
        "rationale": proposal.rationale,
    }


def _jobs(ledger: Ledger, stored: StoredCampaign) -> Iterator[Row]:
    begun: dict[str, JobStarted] = {}
    metric = stored.definition.objective.metric
    for event in ledger.events(stored.id, types=(JobStarted, JobFinished)):
        if isinstance(event, JobStarted):
            begun[event.job_id] = event
        elif isinstance(event, JobFinished):
            started = begun.pop(event.outcome.job_id, None)
            yield _job(event, started.at if started else None, event.outcome, metric)
    for started in begun.values():
        yield {
            "job": started.job_id,
            "cycle": started.cycle,
            "purpose": started.purpose,
            "proposal": started.proposal_id,
            "status": "running",
            "parameters": started.config,
            "seed": started.seed,
            "attempt": started.attempt,
            "started_at": started.at,
        }


def _job(event: JobFinished, started_at: float | None, outcome: Outcome, metric: str) -> Row:
    return {
        "job": outcome.job_id,
        "cycle": event.cycle,
        "purpose": event.purpose,
        "proposal": outcome.proposal_id,
        "status": outcome.status,
        "cause": outcome.cause,
        "reason": outcome.reason,
        "parameters": dict(outcome.config),
        "value": outcome.metrics.get(metric),
        "metrics": dict(outcome.metrics),
        "seed": outcome.seed,
        "attempt": outcome.attempt,
        "seconds": outcome.duration_s,
        "cpu_seconds": outcome.cpu_s,
        "peak_memory_mb": outcome.peak_memory_mb,
        "started_at": started_at,
        "finished_at": event.at,
    }


def _votes(history: History) -> Iterator[Row]:
    for number, cycle in sorted(history.cycles.items()):
        for proposal_id, cast in cycle.votes.items():
            made, ruled = cycle.proposals.get(proposal_id), cycle.rulings.get(proposal_id)
            tally = cycle.tallies.get(proposal_id)
            outcome = cycle.outcomes.get(proposal_id)
            for event in cast:
                vote = event.vote
                yield {
                    "cycle": number,
                    "proposal": proposal_id,
                    "proposer": None if made is None else made.proposal.proposer,
                    "voter": vote.voter,
                    "score": vote.score,
                    "confidence": vote.confidence,
                    "weight": None if tally is None else tally.tally.weights.get(vote.voter),
                    "source": vote.source,
                    "decision": None if ruled is None else ruled.ruling.decision,
                    "status": None if outcome is None else outcome.outcome.status,
                    "at": event.at,
                    "reason": vote.reason,
                }
