"""Novelty: nothing is tried twice, here or, when memory knows of it, in an earlier campaign."""

from __future__ import annotations

from agents.registry import voter
from agents.roles import Case, Kit, Voter
from agents.wording import describe_config
from core.records import Memory, Mode, Proposal, Vote

__all__ = ["novelty"]

CONFIDENCE: dict[Mode, float] = {"explore": 0.4, "exploit": 0.2, "recover": 0.8}


@voter("novelty")
def novelty(radius: float = 0.1) -> Voter:
    """Approve what is farther than `radius` (max-norm in the unit cube) from every finished trial.

    score = (g − radius) / (g + radius) with g the distance to the nearest; g = 0 is vetoed.  The same configuration
    in a recalled trajectory of another campaign counts by how that one ended.
    """

    async def vote(proposal: Proposal, case: Case, kit: Kit) -> Vote:
        gap = case.nearest_gap(proposal.config)
        if gap == 0:
            reason = "exactly this configuration was tried before"
            return Vote(proposal_id=proposal.id, voter="novelty", score=-1, confidence=1, reason=reason)
        score = (gap - radius) / (gap + radius)
        reason = f"the nearest trial is {gap:.3g} away" if gap < 1 else "nothing like it was tried"
        known = tried_elsewhere(proposal, case, kit)
        if known is not None:
            failed = known.score is None
            score = min(score, -0.9 if failed else -0.3)
            reason += (
                f"; in campaign {known.campaign_id} it {'failed' if failed else f'gave a score of {known.score:.4g}'}"
            )
        return Vote(
            proposal_id=proposal.id,
            voter="novelty",
            score=score,
            confidence=CONFIDENCE[case.mode] if known is None else 0.9,
            reason=reason,
            memories=(known.id,) if known else (),
        )

    return vote


def tried_elsewhere(proposal: Proposal, case: Case, kit: Kit) -> Memory | None:
    """The trajectory of another campaign that tried this very configuration, if one is recalled."""
    for memory in kit.remembered(describe_config(case.campaign.name, proposal.config), k=5):
        if memory.campaign_id != case.campaign_id and memory.config == proposal.config:
            return memory
    return None
