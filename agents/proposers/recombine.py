"""Recombination: children of past winners, those of earlier campaigns among them when memory brings them up."""

from __future__ import annotations

from collections.abc import Sequence

from agents.registry import proposer
from agents.roles import Case, Kit, Proposer
from core.errors import ConfigError
from core.records import Memory, Mode, Proposal
from search.recombine import recombine as children_of
from search.trials import Trial

__all__ = ["recombine"]

COUNTS: dict[Mode, int] = {"explore": 1, "exploit": 2, "recover": 1}
SCALES: dict[Mode, float] = {"explore": 0.1, "exploit": 0.05, "recover": 0.3}
"""Standard deviation of the perturbation in the unit cube."""


@proposer("recombine")
def recombine(elite: int = 5, recalled: int = 6) -> Proposer:
    """Crosses two of the `elite` best trials and perturbs the child: a little in exploitation, widely in recovery.

    Recall is asked for what went well; a trajectory of another campaign is a parent when its configuration lies in
    this space and it was judged by the same metric.  The memory used is named.
    """

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        objective = case.campaign.objective
        question = f"{case.campaign.name}: best {objective.metric}, {objective.goal}"
        memories = {m.proposal_id or m.id: m for m in kit.remembered(question, k=recalled)}
        own = [t for t in case.trials() if t.id != "baseline"]
        known = {t.id for t in own}
        elsewhere = [t for m in memories.values() if m.campaign_id != case.campaign_id and (t := parent(m, case))]
        children = children_of(
            case.space,
            [*own, *(t for t in elsewhere if t.id not in known)],
            COUNTS[case.mode],
            kit.rng,
            elite=elite,
            scale=SCALES[case.mode],
            box=case.steering().box,
        )
        return [
            case.propose(
                "recombine",
                child.config,
                f"crosses {' and '.join(dict.fromkeys(child.parents))}, perturbed by {SCALES[case.mode]:g}",
                parents=tuple(dict.fromkeys(child.parents)),
                memories=tuple(memories[p].id for p in dict.fromkeys(child.parents) if p in memories),
            )
            for child in children
        ]

    return propose


def parent(memory: Memory, case: Case) -> Trial | None:
    """The remembered trajectory as a trial of this space; None when it failed, or does not fit."""
    if memory.score is None or memory.objective != f"{case.campaign.objective.goal} {case.campaign.objective.metric}":
        return None
    try:
        return Trial(memory.proposal_id or memory.id, case.space.validate_config(memory.config), memory.score)
    except ConfigError:
        return None
