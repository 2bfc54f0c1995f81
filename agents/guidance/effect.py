"""Which guidance made which proposal what it is: what a seat proposes beside what it would have proposed without any.

A proposer's answer depends on the case and its seeded draws alone, so the same seat, asked again without the guidance,
says what it would have been.  Proposals of both answers are compared by their place in them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import zip_longest

from agents.guidance.steering import InForce, Steering
from agents.wording import describe_value
from core.guidance import GuidanceChange
from core.records import Config, Direction, Proposal

__all__ = ["attributed", "weighs_on_proposers"]

Changes = dict[str, list[GuidanceChange]]


def weighs_on_proposers(steering: Steering, direction: Direction) -> bool:
    """Whether proposers may answer otherwise because of guidance."""
    return steering.box is not None or steering.weighs_code or direction.before_guidance is not None


def attributed(
    made: Sequence[Proposal], plain: Sequence[Proposal], steering: Steering, direction: Direction
) -> tuple[list[Proposal], Changes]:
    """The proposals with the ids of the guidance that changed them, and by id what it changed.

    `plain` is what the same seat proposes without guidance.
    """
    changes: Changes = defaultdict(list)
    out: list[Proposal] = []
    for proposal, before in zip_longest(made, plain):
        if proposal is None:
            continue
        ids = list(proposal.guidance)
        for one, change in _changed(proposal, before, steering, direction):
            changes[one].append(change)
            ids.append(one)
        out.append(proposal.model_copy(update={"guidance": tuple(dict.fromkeys(ids))}) if ids else proposal)
    return out, dict(changes)


def _changed(
    proposal: Proposal, before: Proposal | None, steering: Steering, direction: Direction
) -> list[tuple[str, GuidanceChange]]:
    """(guidance id, change) of one proposal; nothing where it is what it would have been."""
    if before is not None and before.content == proposal.content:
        return []
    if proposal.kind != "experiment":
        return _of_code(proposal, before, steering)
    told: list[tuple[str, GuidanceChange]] = []
    for limit in steering.held:
        name = limit.meaning.name
        if limit.meaning.hard and name in proposal.config and before is not None:
            told += _limited(proposal, before.config, limit)
    if not told and steering.mode is not None and direction.before_guidance is not None:
        what = "not proposed otherwise" if before is None else f"{_brief(before.config)} otherwise"
        change = GuidanceChange(proposal_id=proposal.id, what=f"{what}, in mode {direction.before_guidance}")
        told.append((steering.mode.id, change))
    return told


def _limited(proposal: Proposal, before: Config, limit: InForce) -> list[tuple[str, GuidanceChange]]:
    """The change of the one parameter that is limited."""
    name = limit.meaning.name
    was, now = before.get(name), proposal.config[name]
    if name not in before or was == now:
        return []
    what = f"{name} {describe_value(was)} → {describe_value(now)}"
    return [(limit.id, GuidanceChange(proposal_id=proposal.id, name=name, before=was, after=now, what=what))]


def _of_code(proposal: Proposal, before: Proposal | None, steering: Steering) -> list[tuple[str, GuidanceChange]]:
    """Of code, whatever weighs on the choice of places may be why another was chosen."""
    what = "not proposed otherwise" if before is None else f"otherwise: {before.rationale}"
    return [
        (x.id, GuidanceChange(proposal_id=proposal.id, what=what))
        for x in steering.held
        if x.meaning.target in ("file", "function", "operator")
    ]


def _brief(config: Config) -> str:
    return " ".join(f"{name}={describe_value(value)}" for name, value in config.items())[:200]
