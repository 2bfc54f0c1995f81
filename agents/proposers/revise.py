"""Revision: another approach after a failure.  What was refused is tried again without half of what was new in it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from agents.code.bundles import reapplied
from agents.code.population import BASE, Member, Population
from agents.registry import proposer
from agents.roles import Case, Kit, Proposer
from core.records import Proposal

__all__ = ["revise"]

MENDABLE = ("tests", "wrong_result", "benchmark", "syntax", "untimed", "time", "memory")
"""Causes of a refusal that a part of the candidate may be guilty of."""


@proposer("revise")
def revise(count: Annotated[int, Field(ge=1, le=10)] = 2) -> Proposer:
    """`count` halves of refused candidates: their parents with half of the parts that were added.

    A half that is refused is halved again, down to the guilty part, which is not offered any more; the others live on.
    The newest failure comes first.
    """

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        return await asyncio.to_thread(_propose, case)

    def _propose(case: Case) -> list[Proposal]:
        population = case.population
        assert population is not None
        made: dict[str, Proposal] = {}
        for member in reversed(list(population.members.values())):
            if member.score is not None or member.cause not in MENDABLE:
                continue
            parent = next(iter(member.parents), BASE)
            for half in _halves(member, population):
                after, done = reapplied(population.files(parent), half)
                parts = (*population.parts_of(parent), *done)
                if not done or population.tried_together(parts):
                    continue
                proposal = case.propose_code(
                    "revise",
                    after,
                    f"{len(done)} of the {len(member.added)} changes of {member.id}, refused for {member.cause}",
                    operator="revision",
                    parents=(parent, member.id),
                    parts=parts,
                )
                if proposal is not None:
                    made.setdefault(proposal.id, proposal)
            if len(made) >= count:
                break
        return list(made.values())[:count]

    return propose


def _halves(member: Member, population: Population) -> list[list[str]]:
    """What may be tried of the added parts: each half, without those that are known to be guilty."""
    added = [part for part in member.added if part not in population.guilty]
    if len(added) < 2:
        return [added] if added and len(added) < len(member.added) else []
    middle = len(added) // 2
    return [added[:middle], added[middle:]]
