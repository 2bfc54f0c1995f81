"""The finished trials of a campaign, each with all that was said of it: what every export tells."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.campaign import Campaign, Objective
from core.events import JobStarted
from core.records import Config, Outcome, Proposal, Ruling, Tally, Vote
from memory.history import History
from memory.ledger import Ledger, StoredCampaign
from runtime.jobs.reports import read_reports

__all__ = ["Report", "Trial", "trials_of"]


@dataclass(frozen=True)
class Report:
    """One live report of a job with a step; `at` in UTC seconds, by the job's own clock since it started."""

    step: int
    at: float
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Trial:
    """One finished trial.  `value` is the objective's metric as the job gave it, None where it gave none.

    `proposal` is what was carried out, as the supervisor amended it; `id` that of the proposal that was made.  Times
    are UTC seconds.
    """

    id: str
    number: int
    proposal: Proposal
    outcome: Outcome
    value: float | None
    started_at: float
    finished_at: float
    votes: tuple[Vote, ...]
    tally: Tally | None
    ruling: Ruling | None
    reports: tuple[Report, ...]

    @property
    def config(self) -> Config:
        return self.outcome.config

    @property
    def status(self) -> str:
        return self.outcome.status


def trials_of(ledger: Ledger, stored: StoredCampaign) -> tuple[History, list[Trial]]:
    """The history of the campaign, and its finished trials in the order of their rulings, numbered from 0."""
    history = History.load(ledger, stored.id)
    return history, list(_trials(history, stored.definition))


def _trials(history: History, campaign: Campaign) -> Iterator[Trial]:
    number = 0
    for _, cycle in sorted(history.cycles.items()):
        for experiment in cycle.experiments():
            outcome = experiment.outcome
            finished = cycle.outcomes[outcome.proposal_id]
            started = history.jobs.get(outcome.job_id)
            begun = started.at if started else finished.at - outcome.duration_s
            yield Trial(
                id=outcome.proposal_id,
                number=number,
                proposal=experiment.proposal,
                outcome=outcome,
                value=_value(campaign.objective, outcome, experiment.score),
                started_at=begun,
                finished_at=finished.at,
                votes=tuple(cast.vote for cast in cycle.votes.get(outcome.proposal_id, [])),
                tally=told.tally if (told := cycle.tallies.get(outcome.proposal_id)) else None,
                ruling=ruled.ruling if (ruled := cycle.rulings.get(outcome.proposal_id)) else None,
                reports=_reports(started, outcome, begun, campaign),
            )
            number += 1


def _value(objective: Objective, outcome: Outcome, score: float | None) -> float | None:
    value = outcome.metrics.get(objective.metric, None if score is None else objective.value(score))
    return value if value is not None and math.isfinite(value) else None


def _reports(started: JobStarted | None, outcome: Outcome, begun: float, campaign: Campaign) -> tuple[Report, ...]:
    """What the job reported, from its own file; where that is gone, what its outcome kept for early stopping."""
    read = read_reports(Path(started.directory)) if started is not None else []
    told = tuple(Report(r.step, begun + r.time_s, r.metrics) for r in read if r.step is not None)
    if told or campaign.early_stop is None:
        return told
    return tuple(Report(step, begun, {campaign.early_stop.metric: value}) for step, value in outcome.curve)
