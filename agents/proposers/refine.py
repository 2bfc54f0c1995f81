"""Refinement: a good candidate, and a few more transformations of its code."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from agents.code.bundles import applied, choose, offered, part_of
from agents.code.population import BASE, Population
from agents.code.transformations.rules import Site
from agents.registry import proposer
from agents.roles import Case, Kit, Proposer
from core.records import Proposal

__all__ = ["refine"]

TRIES = 4
"""Draws for one proposal before it is given up: every draw may have been judged before."""


@proposer("refine")
def refine(
    count: Annotated[int, Field(ge=1, le=10)] = 2,
    bundle: Annotated[int, Field(ge=1, le=64)] = 4,
    most: Annotated[int, Field(ge=1, le=64)] = 16,
) -> Proposer:
    """`count` candidates, each an elite with some more transformations, `bundle` at first.

    As many again as last time and twice that when the last candidate passed, up to `most`; half of it when it was
    refused.  Exploiting goes on from the best, exploring from elites by quality and novelty, recovering from the base.
    """

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        return await asyncio.to_thread(_propose, case, kit)

    def _propose(case: Case, kit: Kit) -> list[Proposal]:
        population = case.population
        assert population is not None
        made: dict[str, Proposal] = {}
        steering = case.steering()
        weigh = steering.site_weight if steering.weighs_code else None
        size = bundle_size(population, bundle, most)
        for number in range(count):
            parent = _parent(case, population, kit, number)
            files = population.files(parent)
            sites = offered(population, parent, files)
            for _ in range(TRIES):
                chosen = choose(sites, population, parent, size, kit.rng, weigh)
                if population.tried_together((*population.parts_of(parent), *map(part_of, chosen))):
                    continue
                after, done = applied(files, chosen)
                parts = (*population.parts_of(parent), *map(part_of, done))
                if not done or population.tried_together(parts):
                    continue
                proposal = case.propose_code(
                    "refine",
                    after,
                    _rationale(done, parent),
                    operator="refinement",
                    parents=(parent,),
                    parts=parts,
                )
                if proposal is not None:
                    made.setdefault(proposal.id, proposal)
                    break
        return list(made.values())

    return propose


def bundle_size(population: Population, first: int, most: int) -> int:
    """How many transformations at once: doubled after a candidate that passed, halved after one that was refused."""
    size = first
    for member in population.members.values():
        if member.operator == "refinement" and member.added:
            size = min(2 * len(member.added), most) if member.score is not None else max(1, len(member.added) // 2)
    return size


def _parent(case: Case, population: Population, kit: Kit, number: int) -> str:
    elites = population.elites()
    if not elites or (case.mode == "recover" and number == 0):
        return BASE
    if case.mode == "exploit" or number == 0:
        return elites[0].id
    return population.parents(kit.rng, 1)[0]


def _rationale(done: Sequence[Site], parent: str) -> str:
    told = [f"{site.transformation} in {site.qualname or site.path}" for site in done]
    more = f", and {len(told) - 4} more" if len(told) > 4 else ""
    return f"{parent} with {'; '.join(told[:4])}{more}"
