"""The next generation of trajectories: what production left first, then what the operators make of the candidates.

The operators (revision, recombination, refinement) are those of SE-Agent, Lin et al. 2025.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from agents.code.population import Population
from agents.production import load_production_trajectories
from core.ids import content_id
from core.records import Proposal, Trajectory
from memory.outcomes import OutcomeStore

if TYPE_CHECKING:
    from agents.roles import Case, Kit, Proposer

__all__ = ["PRODUCTION", "generate_trajectories"]

PRODUCTION = 10
"""Trajectories of production that come first, at most."""


async def generate_trajectories(
    case: Case,
    kit: Kit,
    operators: Mapping[str, Proposer],
    *,
    store: OutcomeStore | None = None,
    agent: str | None = None,
    limit: int = PRODUCTION,
) -> list[Trajectory]:
    """Up to `limit` trajectories of production, then one for each candidate that the operators propose.

    `operators`: name → proposer, such as `{"revision": revise(), "refinement": refine()}`.  What they propose is not
    measured yet: its success_score is 0.0 and it has no test_results.  Without a store there is no production.
    """
    production = await load_production_trajectories(limit, store=store, agent=agent) if store is not None else []
    made: list[Trajectory] = []
    for name, operator in operators.items():
        made += [_proposed(p, name, case) for p in await operator(case, kit)]
    return [*production, *made]


def _proposed(proposal: Proposal, operator: str, case: Case) -> Trajectory:
    population = case.population
    assert isinstance(population, Population)
    return Trajectory(
        id=content_id("t", case.campaign_id, proposal.id),
        campaign_id=case.campaign_id,
        cycle=proposal.cycle,
        proposal_id=proposal.id,
        parents=proposal.parents,
        operator=proposal.operator or operator,
        strategy=case.mode,
        steps=_steps(proposal.parts) or (proposal.rationale,),
        code_changes=population.patch_of(proposal),
        summary=f"{case.campaign.name}: {proposal.operator}, {proposal.rationale}",
    )


def _steps(parts: Sequence[str]) -> tuple[str, ...]:
    return tuple(part.rpartition("#")[0] or part for part in parts)
