"""Predicted gain: how the proposal would stand among what was tried, by the world model."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from agents.registry import voter
from agents.roles import Case, Kit, Voter
from core.records import Mode, Proposal, Vote

__all__ = ["world_model"]

OPTIMISM: dict[Mode, float] = {"explore": 0.5, "exploit": 0.0, "recover": 1.0}
"""Standard deviations added to the predicted mean: what is unknown may be good."""


@voter("world_model")
def world_model(min_trials: int = 4) -> Voter:
    """Approve what is predicted to beat more than half of the finished trials.

    With m, s the predicted mean and (calibrated) standard deviation, κ the mode's optimism, y the finished scores and f
    the probability of failure:  q = (1 − f) · mean_i Φ((m + κ s − y_i) / s);  score = 2 q − 1.
    Confidence grows with the trials, n / (n + 6).  Below `min_trials` it abstains by confidence 0.
    """

    async def vote(proposal: Proposal, case: Case, kit: Kit) -> Vote:
        told = np.array(case.scores)
        if len(told) < min_trials:
            reason = f"{len(told)} finished trials are too few to predict from"
            return Vote(proposal_id=proposal.id, voter="world_model", score=0.0, confidence=0.0, reason=reason)
        seen = case.world_model().predict([proposal.config])
        mean, failing = float(seen.mean[0]), float(seen.failure_probability[0])
        sd = float(seen.sd[0]) * case.oracle().factor
        hoped = mean + OPTIMISM[case.mode] * sd
        rank = float(np.mean(ndtr((hoped - told) / max(sd, 1e-12))))
        score = 2 * (1 - failing) * rank - 1
        objective = case.campaign.objective
        predicted = f"{objective.metric} {objective.value(mean):.4g} ± {sd:.2g}"
        reason = f"predicts {predicted}, better than {rank:.0%} of {len(told)} trials"
        if failing > 0.05:
            reason += f"; fails with probability {failing:.0%}"
        return Vote(
            proposal_id=proposal.id,
            voter="world_model",
            score=float(np.clip(score, -1, 1)),
            confidence=min(0.99, len(told) / (len(told) + 6)),
            reason=reason,
        )

    return vote
