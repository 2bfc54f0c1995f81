"""What guidance has changed at each node of a cycle, as events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from agents.guidance.effect import attributed, weighs_on_proposers
from agents.guidance.steering import SEAT, InForce
from agents.roles import Case
from core.events import GuidanceUsed
from core.guidance import GuidanceChange
from core.records import Direction, Proposal, Ruling, Vote
from graph.context import Context

__all__ = [
    "guidance_of_direction",
    "guidance_of_proposals",
    "guidance_of_rulings",
    "guidance_of_votes",
    "limit_against",
]


def guidance_of_direction(context: Context, case: Case, before: Direction, after: Direction) -> list[GuidanceUsed]:
    """That guidance turned the direction."""
    steering, told = case.steering(), list[GuidanceUsed]()
    if steering.mode is not None and after.mode != before.mode:
        note = f"mode {after.mode}, where the director said {before.mode}"
        told.append(_used(context, case, steering.mode.id, "director", note=note))
    new = [name for name in after.focus if name not in before.focus]
    for one in dict.fromkeys(x.id for x in steering.focused("parameter") if x.meaning.name in new):
        told.append(_used(context, case, one, "director", note=f"focus on {', '.join(new)}"))
    return told


async def guidance_of_proposals(
    context: Context, case: Case, seat: str, made: Sequence[Proposal]
) -> tuple[list[Proposal], list[GuidanceUsed]]:
    """A seat's proposals with the guidance that they cite, and what it changed in them.

    A seat of rules is asked again as if nobody had said anything; one with a model is not: that would be paid twice.
    """
    steering, direction = case.steering(), case.direction
    changes: dict[str, list[GuidanceChange]] = defaultdict(list)
    told = list(made)
    if seat == SEAT:
        for proposal in made:
            for one in proposal.guidance:
                changes[one].append(GuidanceChange(proposal_id=proposal.id, what="made for it"))
    elif direction is not None and weighs_on_proposers(steering, direction):
        kit = context.kit(case.cycle, "proposer", seat)
        if kit.model is None:
            mode = direction.before_guidance or direction.mode
            unguided = direction.model_copy(update={"mode": mode, "guidance": (), "before_guidance": None})
            plain: list[Proposal] = []
            with suppress(Exception):  # what it would have been is not worth a cycle
                answered = await context.council.proposer(seat)(replace(case, guidance=(), direction=unguided), kit)
                plain = list(answered)
            told, found = attributed(told, plain, steering, direction)
            changes |= found
    return told, [_used(context, case, one, "proposer", changes=tuple(few), seat=seat) for one, few in changes.items()]


def guidance_of_votes(context: Context, case: Case, seat: str, votes: Iterable[Vote]) -> list[GuidanceUsed]:
    """That the voter which speaks for guidance had something to say."""
    heard = [vote for vote in votes if vote.confidence > 0]
    if seat != SEAT or not heard:
        return []
    steering = case.steering()
    speaking = [*steering.soft, *steering.focused("metric")]
    ids = [one for one in dict.fromkeys(x.id for x in speaking) if any(f"{one}:" in vote.reason for vote in heard)]
    note = "votes " + ", ".join(f"{vote.score:+.2f} {vote.proposal_id}" for vote in heard[:6])
    return [_used(context, case, one, "voter", note=note) for one in ids]


def guidance_of_rulings(
    context: Context, case: Case, agenda: Iterable[Proposal], rulings: Iterable[Ruling]
) -> list[GuidanceUsed]:
    """What the supervisor let through, or did not, because of guidance."""
    by_id = {proposal.id: proposal for proposal in agenda}
    changes: dict[str, list[GuidanceChange]] = defaultdict(list)
    for ruling in rulings:
        if ruling.rule != "guidance":
            continue
        proposal = by_id[ruling.proposal_id]
        steering = case.steering()
        one = limit_against(proposal, case) or steering.asked_for(proposal, case.history)
        if one is not None:
            what = "given its job" if ruling.decision == "accept" else f"rejected: {one.meaning}"
            changes[one.id].append(GuidanceChange(proposal_id=proposal.id, what=what))
    return [_used(context, case, one, "supervisor", changes=tuple(few), cite=False) for one, few in changes.items()]


def limit_against(proposal: Proposal, case: Case) -> InForce | None:
    """The limit of guidance that a proposal is against."""
    if case.population is not None and proposal.is_trial and proposal.kind == "code":
        return case.steering().violated(proposal, case.population.changed_of(proposal), case.population.base)
    return case.steering().violated(proposal)


def _used(
    context: Context,
    case: Case,
    guidance_id: str,
    node: str,
    *,
    changes: tuple[GuidanceChange, ...] = (),
    note: str = "",
    seat: str = "",
    cite: bool = True,
) -> GuidanceUsed:
    return GuidanceUsed(
        campaign_id=context.campaign_id,
        cycle=case.cycle,
        guidance_id=guidance_id,
        node=f"{node} {seat}".strip(),
        proposals=tuple(_ids(changes)) if cite else (),
        changes=changes,
        note=note,
    )


def _ids(changes: Iterable[GuidanceChange]) -> Iterator[str]:
    yield from dict.fromkeys(change.proposal_id for change in changes)
