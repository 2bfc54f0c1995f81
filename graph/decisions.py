"""The decision log: who proposed what and why, every vote, every ruling, what came of it; and its replay.

The log is plain data that stands alone: it holds the campaign's definition, so that it can be shown, or decided
again, far from the state folder it was made in.  A replay gives director, tally and supervisor the case that each of
them had, and compares.  Proposers and voters are not replayed: their answers are the log's input, and may rest on
recall or on a model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import Field

from agents.roles import Kit
from agents.tally import tally_votes, voter_weights
from core.campaign import Campaign
from core.events import (
    AnyEvent,
    BaselineMeasured,
    CycleFinished,
    DirectionSet,
    GuidanceDelivered,
    GuidanceUnused,
    JobFinished,
    LessonLearned,
    ProposalMade,
    ProposalRuled,
    ProposalTallied,
    TrackRecordUpdated,
    VoteCast,
)
from core.records import (
    Baseline,
    Direction,
    Lesson,
    Outcome,
    Proposal,
    Record,
    Ruling,
    Tally,
    TrackRecord,
    Vote,
)
from graph.context import opening_case, role_seed
from graph.council import Council, seat_council
from graph.loading import space_of
from graph.seat_models import with_chosen_models
from memory.history import Cycle, History

__all__ = ["CycleLog", "DecisionLog", "Difference", "decision_log", "replay"]


class LoggedOutcome(Record):
    """What the world answered, and its score."""

    outcome: Outcome
    score: float | None


class CycleLog(Record):
    """The decisions of one cycle, in the order in which they were made."""

    cycle: int
    direction: Direction | None = None
    proposals: tuple[Proposal, ...] = ()
    votes: tuple[Vote, ...] = ()
    tallies: tuple[Tally, ...] = ()
    rulings: tuple[Ruling, ...] = Field(default=(), description="as the supervisor gave them")
    decided: dict[str, Ruling] = Field(default={}, description="what a person made of them, by question")
    outcomes: tuple[LoggedOutcome, ...] = ()
    lessons: tuple[Lesson, ...] = ()
    records: tuple[TrackRecord, ...] = Field(default=(), description="track records as the cycle left them")
    finished: bool = False
    delivered: tuple[GuidanceDelivered, ...] = Field(default=(), description="guidance that the cycle was handed first")
    dropped: tuple[GuidanceUnused, ...] = Field(default=(), description="guidance that was without effect from then on")


class DecisionLog(Record):
    """All decisions of a campaign.  `model_dump_json()` exports it, `model_validate_json()` reads it."""

    campaign_id: str
    campaign: Campaign
    baseline: Baseline | None = None
    cycles: tuple[CycleLog, ...] = ()


class Difference(Record):
    """Where a replay decided otherwise than the log says."""

    cycle: int
    what: str
    logged: dict[str, Any] | None
    replayed: dict[str, Any] | None


def decision_log(campaign: Campaign, history: History) -> DecisionLog:
    """The log of all that `history` holds."""
    return DecisionLog(
        campaign_id=history.campaign_id,
        campaign=with_chosen_models(campaign, history),
        baseline=history.baseline,
        cycles=tuple(cycle_log(history, cycle) for _, cycle in sorted(history.cycles.items())),
    )


def cycle_log(history: History, cycle: Cycle) -> CycleLog:
    """The log of one cycle."""
    return CycleLog(
        cycle=cycle.number,
        direction=cycle.direction,
        proposals=tuple(map(cycle.voted_on, cycle.proposals)),
        votes=tuple(event.vote for told in cycle.votes.values() for event in told),
        tallies=tuple(event.tally for event in cycle.tallies.values()),
        rulings=tuple(event.ruling for event in cycle.judged.values()),
        decided={f"{e.approval} {p}": e.ruling for p, e in cycle.rulings.items() if e.approval},
        outcomes=tuple(LoggedOutcome(outcome=e.outcome, score=e.score) for e in cycle.outcomes.values()),
        lessons=tuple(lesson for lesson in history.all_lessons() if lesson.cycle == cycle.number),
        records=tuple(history.records_of(cycle.number)),
        finished=cycle.finished is not None,
        delivered=tuple(e for e in history.guidance_delivered.values() if e.cycle == cycle.number),
        dropped=tuple(e for e in history.guidance_unused if e.cycle == cycle.number and e.why == "dropped"),
    )


def replay(log: DecisionLog) -> list[Difference]:
    """Every direction, tally and ruling decided again; empty when all of them come out as logged.

    Raises ConfigError when a role of the campaign is not installed here.
    """
    council, history = seat_council(log.campaign), _history(log)  # the campaign of a log has the seats of its models

    async def all_of_them() -> list[Difference]:
        return [difference for cycle in log.cycles for difference in await _again(log, cycle, council, history)]

    return asyncio.run(all_of_them())


async def _again(log: DecisionLog, logged: CycleLog, council: Council, history: History) -> list[Difference]:
    campaign, number = log.campaign, logged.cycle
    opening = opening_case(log.campaign_id, campaign, space_of(campaign), history, number)
    differences: list[Difference] = []

    def compare(what: str, before: Record | None, after: Record | None) -> None:
        if before != after:
            dumps = [None if r is None else r.model_dump(mode="json") for r in (before, after)]
            differences.append(Difference(cycle=number, what=what, logged=dumps[0], replayed=dumps[1]))

    if logged.direction is not None and logged.direction.source != "model":
        name, case = campaign.council.director.use, replace(opening, guidance=history.guidance(number, "director"))
        directed = await council.director(case, _kit(log, number, "director", name))
        compare("direction", logged.direction, case.steering().steered(directed))
    by_id = {proposal.id: proposal for proposal in logged.proposals}
    agenda = [by_id[p] for p in _agenda(logged)]
    weights = voter_weights(council.weights, opening.records)
    again = {t.proposal_id: t for t in tally_votes([p.id for p in agenda], logged.votes, weights)}
    for tally in logged.tallies:
        compare(f"tally of {tally.proposal_id}", tally, again.get(tally.proposal_id))
    kit = _kit(log, number, "supervisor", campaign.council.supervisor.use)
    for place, ruling in enumerate(logged.rulings):
        case = replace(
            opening,
            guidance=history.guidance(number, "supervisor"),
            direction=logged.direction,
            proposals=tuple(agenda),
            votes=logged.votes,
            tallies=logged.tallies,
            rulings=logged.rulings[:place],
        )
        if ruling.rule == "unjudged" or ruling.source == "model":  # what failed, or a model said, is not in the log
            continue
        answered = await council.supervisor(by_id[ruling.proposal_id], case, kit)
        compare(f"ruling on {ruling.proposal_id}", ruling, answered)
    return differences


def _agenda(logged: CycleLog) -> Sequence[str]:
    """The proposals that were voted on, in the order in which they were made."""
    tallied = {tally.proposal_id for tally in logged.tallies}
    return [proposal.id for proposal in logged.proposals if proposal.id in tallied]


def _kit(log: DecisionLog, cycle: int, role: str, name: str) -> Kit:
    return Kit(
        rng=np.random.default_rng(role_seed(log.campaign.seed, cycle, role, name)),
        campaign=log.campaign,
        campaign_id=log.campaign_id,
    )


def _history(log: DecisionLog) -> History:
    """The history that the log tells of."""
    history = History(log.campaign_id)
    for seq, event in enumerate(_events(log), 1):
        history.apply(event.model_copy(update={"seq": seq}))
    return history


def _events(log: DecisionLog) -> list[AnyEvent]:
    campaign_id = log.campaign_id
    told: list[AnyEvent] = []
    if log.baseline is not None:
        told.append(BaselineMeasured(campaign_id=campaign_id, baseline=log.baseline))
    for one in log.cycles:
        where: dict[str, Any] = {"campaign_id": campaign_id, "cycle": one.cycle}
        if one.direction is not None:
            told.append(DirectionSet(direction=one.direction, **where))
        told += [*one.delivered, *one.dropped]
        told += [ProposalMade(proposal=p, **where) for p in one.proposals]
        told += [VoteCast(vote=v, **where) for v in one.votes]
        told += [ProposalTallied(tally=t, **where) for t in one.tallies]
        told += [ProposalRuled(ruling=r, **where) for r in one.rulings]
        told += [ProposalRuled(ruling=r, approval=name, **where) for name, r in one.decided.items()]
        told += [JobFinished(purpose="proposal", outcome=o.outcome, score=o.score, **where) for o in one.outcomes]
        told += [LessonLearned(lesson=lesson, **where) for lesson in one.lessons]
        told += [TrackRecordUpdated(record=r, **where) for r in one.records]
        if one.finished:
            told.append(CycleFinished(stages={}, metrics={}, **where))
    return told
