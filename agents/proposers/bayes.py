"""The Bayesian proposer: what the world model expects most of."""

from __future__ import annotations

from collections.abc import Sequence

from agents.registry import proposer
from agents.roles import Case, Kit, Proposer
from core.records import Mode, Proposal
from search.suggest import suggest

__all__ = ["bayes"]

COUNTS: dict[Mode, int] = {"explore": 3, "exploit": 3, "recover": 1}


@proposer("bayes")
def bayes(n: int | None = None) -> Proposer:
    """`n` suggestions of the portfolio in `search.suggest`; by default 3, and 1 when the director recovers."""

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        budget = case.campaign.budget.jobs or case.campaign.budget.cycles * case.campaign.council.jobs_per_cycle
        suggestions = suggest(
            case.space,
            case.trials(),
            COUNTS[case.mode] if n is None else n,
            seed=case.campaign.seed,
            rng=kit.rng,
            regions=case.forbidden(),
            box=case.steering().box,
            budget=budget,
        )
        return [
            case.propose(
                "bayes",
                s.config,
                f"{s.member}: {s.reason}",
                parents=(case.best.proposal.id,) if case.best is not None and s.member == "local" else (),
            )
            for s in suggestions
        ]

    return propose
