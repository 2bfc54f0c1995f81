"""The judge: a candidate's code laid out beside its base and judged by a process of its own, once."""

from __future__ import annotations

from agents.executors.job import run_once
from agents.registry import executor
from agents.roles import Executor, Kit
from core.records import Outcome, Proposal

__all__ = ["judge"]


@executor("judge", kinds=("code",))
def judge() -> Executor:
    """Tests a candidate and times it against the base, in turn, until the answer is clear.

    The same change on the same seed is judged once, whoever asks and however often the program is killed in between.
    A candidate that is refused is an outcome, with its cause.
    """

    async def execute(proposal: Proposal, kit: Kit) -> Outcome:
        assert kit.campaign is not None
        return await run_once(
            kit,
            proposal.config,
            seed=kit.campaign.seed,
            purpose="proposal",
            proposal_id=proposal.id,
            cycle=proposal.cycle,
        )

    return execute
