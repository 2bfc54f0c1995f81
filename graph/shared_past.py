"""What a fork has of its parent: the events up to a point, the finished jobs, and the paid answers.

Everything keeps the id that it had.  A fork asks for a job by its own key, and finds under it what came of the
parent's: the same configuration and seed is the same job for the whole family, and runs once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from agents.executors.job import job_id
from core.approvals import ApprovalRule
from core.campaign import Campaign
from core.errors import NotFoundError
from core.events import (
    AnyEvent,
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalExpired,
    ApprovalRuleMade,
    BaselineMeasured,
    BaseTaken,
    BestChallenged,
    BestImproved,
    CycleFinished,
    CycleStarted,
    DirectionSet,
    GuidanceDelivered,
    GuidanceDropped,
    GuidanceGiven,
    GuidanceUnused,
    GuidanceUsed,
    JobFinished,
    JobStarted,
    LessonLearned,
    ModelCalled,
    ModelChosen,
    ProposalApplied,
    ProposalMade,
    ProposalRuled,
    ProposalSharpened,
    ProposalTallied,
    RoleFailed,
    TrackRecordUpdated,
    TrajectoryKept,
    VoteCast,
)
from core.forks import STAGES, ForkPoint, Stage
from core.ids import content_id
from core.models import ChatCall
from core.records import Outcome
from graph.paid_once import KIND as MODEL_CALL
from graph.paid_once import key_of
from memory.effects import Effect
from memory.ledger import Ledger, StoredCampaign

__all__ = ["events_up_to", "own_rules", "shared_effects", "stage_of"]

PURPOSES = ("baseline", "proposal", "confirmation")
"""Of jobs that belong to a campaign's past; control arms and the verdict belong to its end."""

OUTSIDE_CYCLES = (BaseTaken, ModelChosen, BaselineMeasured)
"""Of a campaign itself, told before its first cycle."""

BY_TYPE: dict[type[AnyEvent], Stage] = {
    CycleStarted: "director",
    DirectionSet: "director",
    ProposalMade: "proposer",
    ProposalSharpened: "sharpen",
    VoteCast: "voter",
    ProposalTallied: "tally",
    ApprovalAsked: "approval",
    ApprovalAnswered: "approval",
    ApprovalExpired: "approval",
    ProposalApplied: "executor",
    TrajectoryKept: "historian",
    LessonLearned: "historian",
    TrackRecordUpdated: "historian",
    BestChallenged: "historian",
    BestImproved: "historian",
    CycleFinished: "historian",
}


BY_PURPOSE: dict[str, Stage] = {"proposal": "executor", "confirmation": "historian"}
BY_NAME: dict[str, Stage] = {**{stage: stage for stage in STAGES}, "on_approval": "approval"}

FOLLOWING: dict[Stage, Stage] = {
    "director": "proposer",
    "proposer": "voter",
    "agenda": "voter",
    "sharpen": "voter",
    "voter": "tally",
    "tally": "supervisor",
    "supervisor": "executor",
    "approval": "executor",
    "executor": "historian",
    "historian": "historian",
}
"""How far a campaign has come that was last heard of from a node: those between need not tell anything."""


def stage_of(event: AnyEvent) -> Stage | None:
    """The node that tells of such an event; None where it is not the doing of a node."""
    match event:
        case ProposalRuled():
            return "approval" if event.approval else "supervisor"
        case JobStarted() | JobFinished():
            return BY_PURPOSE.get(event.purpose)
        case RoleFailed():
            return BY_NAME.get(event.role)
        case ModelCalled():
            return BY_NAME.get(event.role)
        case GuidanceUnused():
            return BY_NAME.get(getattr(event, "node", "historian"), "historian")  # not every one says where
        case GuidanceDelivered() | GuidanceUsed():
            return BY_NAME.get(event.node, "director")
        case _:
            return BY_TYPE.get(type(event))


def events_up_to(told: Iterable[AnyEvent], point: ForkPoint) -> list[AnyEvent]:
    """The events that a fork begins with.  Raises NotFoundError when the campaign has not come that far."""
    before = STAGES.index(point.stage) if point.stage else len(STAGES)
    kept: list[AnyEvent] = []
    said: list[AnyEvent] = []
    last = reached = 0
    for event in told:
        if point.stage and event.cycle == point.cycle and (stage := stage_of(event)):
            reached = max(reached, STAGES.index(stage))
        if isinstance(event, GuidanceGiven | GuidanceDropped):
            said.append(event)  # by somebody outside, at any time
        elif _is_past(event, point, before):
            kept.append(event)
            if not isinstance(event, JobFinished) or event.cycle:  # a baseline job may be asked for again at the end
                last = max(last, event.seq)
    _must_have_come_to(kept, point, reached)
    kept = [event for event in kept if event.seq <= last]
    return sorted([*kept, *(event for event in said if event.seq <= last)], key=lambda event: event.seq)


def own_rules(rules: Iterable[ApprovalRule], fork: str) -> list[AnyEvent]:
    """The remembered answers of the parent, for the fork: under ids of their own, so that each can forget its own."""
    return [
        ApprovalRuleMade(
            campaign_id=fork,
            rule=rule.model_copy(update={"id": content_id("r", fork, rule.id), "campaign_id": fork}),
        )
        for rule in rules
        if rule.scope == "campaign"
    ]


def shared_effects(ledger: Ledger, parent: StoredCampaign, fork: str, past: Sequence[AnyEvent]) -> list[Effect]:
    """The parent's finished jobs and the paid answers of the past, under the fork's keys.

    A job counts whenever the parent has run it: it says what this configuration gives on this seed.  But one that was
    stopped as hopeless was judged by what was known then, and only counts when that is past here too.
    """
    told = {event.outcome.job_id for event in past if isinstance(event, JobFinished)}
    asked = {event.call for event in past if isinstance(event, ModelCalled)}
    found: list[Effect] = []
    for effect in ledger.effects.of(parent.id):
        if effect.state != "finished":
            continue
        if effect.kind == "job":
            outcome = Outcome.model_validate_json(effect.result)
            known = outcome.job_id in told or outcome.ok or (outcome.status == "failed" and outcome.tells_of_config)
            key = _job_key(effect, parent.definition, parent.id, fork) if known else ""
        elif effect.kind == MODEL_CALL:
            call = ChatCall.model_validate(effect.request)
            key = key_of(fork, call) if call.key in asked else ""
        else:
            key = ""
        if key:
            found.append(replace(effect, key=key, campaign_id=fork))
    return found


def _job_key(effect: Effect, campaign: Campaign, parent: str, fork: str) -> str:
    """The fork's key of a job; empty for one of another shape."""
    config, seed = effect.request["config"], effect.request["seed"]
    commands = [(), *([campaign.sealed.command] if campaign.sealed else [])]
    return next(
        (job_id(fork, config, seed, words) for words in commands if job_id(parent, config, seed, words) == effect.key),
        "",
    )


def _is_past(event: AnyEvent, point: ForkPoint, before: int) -> bool:
    """Whether the event was told by nodes that lie before the point."""
    if event.cycle > point.cycle:
        return False
    if isinstance(event, OUTSIDE_CYCLES):
        return True
    if isinstance(event, JobStarted | JobFinished) and event.purpose not in PURPOSES:
        return False
    if isinstance(event, JobStarted | JobFinished | ModelCalled) and not event.cycle:
        return True
    stage = stage_of(event)
    if stage is None:
        return False
    return event.cycle < point.cycle or STAGES.index(stage) < before


def _must_have_come_to(kept: Sequence[AnyEvent], point: ForkPoint, reached: int) -> None:
    whole = {event.cycle for event in kept if isinstance(event, CycleFinished)}
    wanted = point.cycle if point.stage is None else point.cycle - 1
    there = any(isinstance(event, BaselineMeasured) for event in kept) if wanted == 0 else wanted in whole
    if point.stage and STAGES.index(point.stage) > STAGES.index(FOLLOWING[STAGES[reached]]):
        there = False
    if not there:
        last = max(whole, default=0)
        raise NotFoundError(f"the campaign has no point {point}", where="point", hint=f"its last whole cycle is {last}")
