"""Lessons from judged candidates: which changes fail, which bring nothing, and what the gains came from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from agents.code.population import Population
from agents.registry import historian
from agents.roles import Case, Historian, Kit
from core.ids import content_id
from core.records import Experiment, Lesson

__all__ = ["code_chronicler"]

CLEAR_GAIN = 0.05
"""A change that makes the program faster by this share (log scale) is told as a pattern."""


@historian("code_chronicler")
def code_chronicler() -> Historian:
    """Tells a change that was refused alone (a constraint: it is not offered again), and one that alone was clearly
    faster (a pattern), each with the candidate that shows it."""

    async def learn(outcomes: Sequence[Experiment], case: Case, kit: Kit) -> Sequence[Lesson]:
        population = case.population
        if population is None:
            return []
        known = {lesson.id for lesson in case.lessons}
        told = [lesson for e in outcomes if (lesson := _lesson(e, case, population)) and lesson.id not in known]
        return list({lesson.id: lesson for lesson in told}.values())

    return learn


def _lesson(experiment: Experiment, case: Case, population: Population) -> Lesson | None:
    proposal, outcome = experiment.proposal, experiment.outcome
    added = population.added_by(proposal)
    if len(added) != 1 or not outcome.tells_of_config:
        return None
    part = added[0].rpartition("#")[0]
    if experiment.score is None:
        text = f"{part}: refused ({outcome.cause}: {outcome.reason[:160]})"
        return _told("constraint", text, added[0], case, proposal.id)
    scores = [
        s for p in proposal.parents if (s := population.score_of(p, case.baseline.mean if case.baseline else None))
    ]
    gain = math.log(experiment.score / max(scores)) if scores and experiment.score > 0 else 0.0
    if gain > max(CLEAR_GAIN, 2 * population.noise):
        return _told("pattern", f"{part}: {math.exp(gain):.2f} times as fast", added[0], case, proposal.id)
    return None


def _told(kind: Any, text: str, part: str, case: Case, proposal: str) -> Lesson:
    return Lesson(
        id=content_id("l", case.line, kind, part), kind=kind, text=text, cycle=case.cycle, evidence=(proposal,)
    )
