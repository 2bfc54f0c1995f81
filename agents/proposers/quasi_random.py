"""The next points of a scrambled Sobol sequence: even cover of the space, whatever was learned."""

from __future__ import annotations

from collections.abc import Sequence

from agents.registry import proposer
from agents.roles import Case, Kit, Proposer
from core.records import Proposal
from search.constraints import violations

__all__ = ["quasi_random"]

SEED_OFFSET = 104_729
"""Keeps this sequence apart from the one with which `bayes` starts on the same campaign seed."""


@proposer("quasi_random")
def quasi_random(n: int = 1, n_recovering: int = 3) -> Proposer:
    """`n` points a cycle, `n_recovering` when the director recovers.  Forbidden regions are skipped, and
    what guidance limits is covered as evenly as the whole.

    Source: Owen, Scrambling Sobol' and Niederreiter–Xing points, 1998.
    """

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        wanted = n_recovering if case.mode == "recover" else n
        forbidden = case.forbidden()
        first = (case.cycle - 1) * max(n, n_recovering)
        rows = case.space.sobol_rows(4 * wanted, seed=case.campaign.seed + SEED_OFFSET, skip=first)
        box = case.steering().box
        points = [case.space.decode(u) if box is None else box.place(u) for u in rows]
        allowed = [(i, point) for i, point in enumerate(points, first) if not violations(point, forbidden)][:wanted]
        return [
            case.propose(
                "quasi_random",
                point,
                f"point {i} of the Sobol sequence: even cover"
                + (", to get away from what stagnates" * (case.mode == "recover")),
            )
            for i, point in allowed
        ]

    return propose
