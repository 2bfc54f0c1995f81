"""One proposer and one voter from outside the project."""

from __future__ import annotations

from collections.abc import Sequence

from agents.registry import proposer, voter
from agents.roles import Case, Kit, Proposer, Voter
from core.records import Proposal, Vote

__all__ = ["corners", "frugal"]


@proposer("corners")
def corners(n: int = 1) -> Proposer:
    """`n` random corners of the unit cube."""

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        cube = kit.rng.integers(0, 2, size=(n, len(case.space))) * (1 - 1e-9)
        return [case.propose("corners", case.space.decode(u), "a corner of the space") for u in cube]

    return propose


@voter("frugal")
def frugal(parameter: str, limit: float) -> Voter:
    """Approve only configurations whose `parameter` is at most `limit`."""

    async def vote(proposal: Proposal, case: Case, kit: Kit) -> Vote:
        value = proposal.config.get(parameter, limit)
        score = 0.5 if value <= limit else -0.5
        return Vote(proposal_id=proposal.id, voter="frugal", score=score, reason=f"{parameter} is {value}")

    return vote
