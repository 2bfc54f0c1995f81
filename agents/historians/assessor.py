"""Lessons from improvements of a live service: which kinds stay, what they bring, and which are taken back."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from agents.live.lessons import about_kind, about_taken_back
from agents.proposers.planted import PLANTED
from agents.registry import historian
from agents.roles import Case, Historian, Kit
from core.ids import content_id
from core.improvement import ImpactAssessment
from core.records import Experiment, Lesson, Proposal

__all__ = ["assessed", "assessor"]

Ended = tuple[Proposal, ImpactAssessment]


@historian("assessor")
def assessor(enough: int = 1) -> Historian:
    """For every kind of improvement that this cycle tried, one lesson over all that was ever tried of it; a lesson of
    before is taken back by it.

    What was taken back is a constraint: exactly it is not tried again.  What was planted teaches nothing.
    """

    async def learn(outcomes: Sequence[Experiment], case: Case, kit: Kit) -> Sequence[Lesson]:
        fresh = [(e.proposal, told) for e in outcomes if (told := assessed(e)) and e.proposal.opportunity != PLANTED]
        past = [one for one in case.improvements if one[0].opportunity != PLANTED]
        kinds = dict.fromkeys(proposal.operator for proposal, _ in fresh)
        lessons: list[Lesson] = []
        for kind in kinds:
            ended = [one for one in (*past, *fresh) if one[0].operator == kind and _tells(one[1])]
            if len(ended) >= enough:
                lessons += _of_kind(kind, ended, case)
        return lessons + [_taken_back(proposal, told, case) for proposal, told in fresh if told.status == "rolled_back"]

    return learn


def assessed(experiment: Experiment) -> ImpactAssessment | None:
    """The assessment in the outcome of an improvement; None for anything else."""
    told = experiment.outcome.details.get("assessment")
    return None if told is None else ImpactAssessment.model_validate(told)


def _tells(told: ImpactAssessment) -> bool:
    return told.status in ("completed", "rolled_back")


def _of_kind(kind: str, ended: Sequence[Ended], case: Case) -> list[Lesson]:
    stayed = [told for _, told in ended if told.status == "completed"]
    gains = [told.latency_reduction_percent for told in stayed if told.latency_reduction_percent is not None]
    text = f"{about_kind(kind)} {len(stayed)} of {len(ended)} stayed live"
    if gains:
        text += f"; p95 latency fell by {statistics.median(gains):.0f} % in the median"
    lesson = Lesson(
        id=content_id("l", case.campaign_id, "live", kind, len(ended)),
        kind="pattern",
        text=text,
        cycle=case.cycle,
        evidence=tuple(proposal.id for proposal, _ in ended),
    )
    before = [old for old in case.lessons if old.text.startswith(about_kind(kind)) and old.id != lesson.id]
    taken = [
        Lesson(
            id=content_id("l", case.campaign_id, "outgrown", old.id),
            kind="pattern",
            text=f"outgrown: {text}",
            cycle=case.cycle,
            withdraws=old.id,
        )
        for old in before
    ]
    return [*taken, lesson]


def _taken_back(proposal: Proposal, told: ImpactAssessment, case: Case) -> Lesson:
    return Lesson(
        id=content_id("l", case.campaign_id, "taken back", proposal.files),
        kind="constraint",
        text=f"{about_taken_back(proposal.operator)}{', '.join(proposal.files)} was taken back: {told.reason[:300]}",
        cycle=case.cycle,
        evidence=(proposal.id,),
    )
