"""Recombination: what two good candidates have each changed, in one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from agents.code.merge import merge
from agents.code.population import Member, Population
from agents.registry import proposer
from agents.roles import Case, Kit, Proposer
from core.records import Proposal

__all__ = ["recombine_code"]

PAIRS = 6
"""Pairs that are looked at for each proposal: most have been merged before, or hold the same."""


@proposer("recombine_code")
def recombine_code(count: Annotated[int, Field(ge=1, le=10)] = 1) -> Proposer:
    """`count` merges of two elites that complement each other: the first chosen by quality and novelty, the second from
    elsewhere in the archive.  Of what conflicts the better one's stays."""

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        return await asyncio.to_thread(_propose, case, kit)

    def _propose(case: Case, kit: Kit) -> list[Proposal]:
        population = case.population
        assert population is not None
        made: dict[str, Proposal] = {}
        elites = population.elites()
        best = elites[0].id if elites else None
        pairs = population.archive.inspirations(kit.rng, PAIRS * count)
        if best is not None and len(elites) > 1:
            pairs = [*population.archive.inspirations(kit.rng, PAIRS, of=best), *pairs]
        for one, other in pairs:
            first, second = sorted(
                (population.members[one.id], population.members[other.id]), key=lambda m: -(m.score or 0.0)
            )
            proposal = _merged(case, population, first, second)
            if proposal is not None:
                made.setdefault(proposal.id, proposal)
            if len(made) >= count:
                break
        return list(made.values())[:count]

    return propose


def _merged(case: Case, population: Population, first: Member, second: Member) -> Proposal | None:
    """Both in one; None when the second adds nothing that is not known to fail, or it was judged before."""
    new = [part for part in second.parts if part not in first.parts]
    if second.parts and (not new or set(new) <= population.guilty.keys() | population.useless):
        return None
    parts = (*first.parts, *new)
    if parts and population.tried_together(parts):
        return None
    told = population.merges.get((first.id, second.id))
    if told is None:
        told = merge(population.base, population.files(first.id), population.files(second.id), prefer="a")
        population.merges[first.id, second.id] = told
    if not told.taken_from_b:
        return None
    conflicts = f", {len(told.conflicts)} conflicts as in the first" if told.conflicts else ""
    return case.propose_code(
        "recombine_code",
        told.files,
        f"what {first.id} and {second.id} have each changed{conflicts}",
        operator="recombination",
        parents=(first.id, second.id),
        parts=parts,
    )
