"""Numbers and code in one search: the constants that the source marks as tunable, searched like any parameters.

Notation: a candidate has constants and everything else, its structure.  What constants have brought along its lineage,

    y(base) = 0,   y = y(parent) + log(score / score of the parent) where only constants differ,   y = y(parent) else,

is taken to hold whatever the structure: the scores of all candidates then teach about one space.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from agents.code.population import BASE, Population
from agents.code.transformations.constants import find_constants, set_constants, space
from agents.registry import proposer
from agents.roles import Case, Kit, Proposer
from agents.wording import describe_value
from core.records import Proposal
from search.space import Space
from search.suggest import suggest
from search.trials import Trial

__all__ = ["constants"]


@proposer("constants")
def constants(count: Annotated[int, Field(ge=1, le=10)] = 1) -> Proposer:
    """`count` candidates that are the best one with other values of its marked constants (`# tunable: 8..512 log`).

    The values come from the search over numbers.  Nothing is proposed where no constant is marked.
    """

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        return await asyncio.to_thread(_propose, case, kit)

    def _propose(case: Case, kit: Kit) -> list[Proposal]:
        population = case.population
        assert population is not None
        elites = population.elites()
        parent = elites[0].id if elites else BASE
        files = {path: text for path, text in population.files(parent).items() if population.allowed(path)}
        found = find_constants(files)
        if not found:
            return []
        numbers = Space.model_validate(space(found))
        now = {constant.name: constant.value for constant in found}
        made: list[Proposal] = []
        for suggestion in suggest(
            numbers, trials(population, numbers), count, seed=case.campaign.seed + case.cycle, rng=kit.rng
        ):
            changed = {name: value for name, value in suggestion.config.items() if value != now[name]}
            told = ", ".join(f"{n} {describe_value(now[n])} → {describe_value(v)}" for n, v in changed.items())
            proposal = case.propose_code(
                "constants",
                {**population.files(parent), **set_constants(files, changed)},
                f"{parent} with {told}",
                operator="tuning",
                parents=(parent,),
                parts=population.parts_of(parent),
            )
            if proposal is not None:
                made.append(proposal)
        return made

    return propose


def trials(population: Population, numbers: Space) -> list[Trial]:
    """What is known of values of the constants: y by configuration, the latest of equals; a refused one has none."""
    told: dict[str, Trial] = {}
    gained: dict[str, float] = {BASE: 0.0}

    def tell(name: str, config: dict[str, Any], value: float | None, cycle: int) -> None:
        if set(config) == set(numbers.names):
            told[numbers.key(numbers.validate_config(config))] = Trial(name, config, value, cycle, population.noise)

    tell(BASE, population.constants(BASE), 0.0, 0)
    for member in population.members.values():
        parent = member.parents[0] if member.parents else BASE
        before = gained.get(parent, 0.0)
        tuned = member.operator == "tuning"
        if member.gain is None or not math.isfinite(member.gain):
            if tuned:
                tell(member.id, population.constants(member.id), None, member.cycle)
            continue
        gained[member.id] = before + (member.gain if tuned else 0.0)
        if tuned:
            tell(member.id, population.constants(member.id), gained[member.id], member.cycle)
    return list(told.values())
