"""Reward: what the discriminator says of the comments of a code or comment proposal."""

from __future__ import annotations

import asyncio
import math

from agents.registry import voter
from agents.roles import Case, Kit, Voter
from core.errors import ConfigError
from core.records import Proposal, Vote

__all__ = ["mean_reward", "reward"]


@voter("reward", kinds=("code", "comment"))
def reward(threshold: float = 0.5) -> Voter:
    """Approve comments whose mean reward over the files is above `threshold`:  score = (r − t) / max(t, 1 − t).

    Files without comments do not count; a proposal without any has nothing to be judged by, and the voter abstains.
    """

    async def vote(proposal: Proposal, case: Case, kit: Kit) -> Vote:
        try:
            earned = await asyncio.to_thread(mean_reward, proposal)
        except ConfigError as error:
            return Vote(proposal_id=proposal.id, voter="reward", score=-0.5, confidence=0.9, reason=error.what)
        if earned is None:
            reason = "nothing in it is commented"
            return Vote(proposal_id=proposal.id, voter="reward", score=0.0, confidence=0.0, reason=reason)
        score = (earned - threshold) / max(threshold, 1 - threshold)
        reason = f"the comments earn a reward of {earned:.2f}"
        return Vote(proposal_id=proposal.id, voter="reward", score=score, confidence=0.8, reason=reason)

    return vote


def mean_reward(proposal: Proposal) -> float | None:
    """The mean reward of the proposal's comments over its commented files, in 0 … 1; None without comments."""
    from agents.feedback.file_score import score_comments
    from agents.feedback.records import CodeComments

    earned = [
        score_comments(proposal.files[path], CodeComments.model_validate(told)).reward
        for path, told in proposal.comments.items()
    ]
    return math.fsum(earned) / len(earned) if earned else None
