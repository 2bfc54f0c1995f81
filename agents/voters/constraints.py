"""Constraints and cost: forbidden regions, the risk of failing, and what a trial would cost."""

from __future__ import annotations

import numpy as np

from agents.registry import voter
from agents.roles import Case, Kit, Voter
from core.records import Proposal, Vote
from search.constraints import violations

__all__ = ["constraints"]


@voter("constraints")
def constraints(cost_share: float = 0.5) -> Voter:
    """Veto what lies in a forbidden region; else score 1 − 2 f for a predicted probability f of failing.

    Where the campaign names a `cost_metric`, the score falls by up to `cost_share`: by the share of finished trials
    that were cheaper than the five nearest to the proposal.  Wall-clock time is no cost here: decisions would then
    depend on how busy the machine was.
    """

    async def vote(proposal: Proposal, case: Case, kit: Kit) -> Vote:
        broken = violations(proposal.config, case.forbidden())
        if broken:
            reason = f"forbidden: {broken[0].reason}"
            return Vote(proposal_id=proposal.id, voter="constraints", score=-1, confidence=1, reason=reason)
        failures = sum(e.outcome.status == "failed" for e in case.history)
        failing = float(case.world_model().predict([proposal.config]).failure_probability[0]) if failures else 0.0
        score = 1 - 2 * failing
        reason = f"fails with probability {failing:.0%}" if failures else "no trial has failed so far"
        dearer = cost_rank(proposal, case)
        if dearer is not None:
            score -= cost_share * dearer
            reason += f"; dearer than {dearer:.0%} of the trials ({case.campaign.cost_metric})"
        return Vote(
            proposal_id=proposal.id,
            voter="constraints",
            score=float(np.clip(score, -1, 1)),
            # with nothing failed and no cost there is nothing to say: the vote then weighs next to nothing
            confidence=0.05 if not failures and dearer is None else min(0.9, 0.3 + abs(failing - 0.3)),
            reason=reason,
        )

    return vote


def cost_rank(proposal: Proposal, case: Case) -> float | None:
    """Share of the finished trials that cost less than the five nearest; None without a cost metric."""
    name = case.campaign.cost_metric
    priced = [e for e in case.history if name and name in e.outcome.metrics]
    if len(priced) < 3:
        return None
    nearest = sorted(priced, key=lambda e: case.space.distance(e.config, proposal.config))[:5]
    estimate = float(np.mean([e.outcome.metrics[name] for e in nearest]))
    return float(np.mean([e.outcome.metrics[name] < estimate for e in priced]))
