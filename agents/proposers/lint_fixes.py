"""Ruff's own fixes, one group of rules at a time: small changes that somebody else has named and tested."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import lru_cache

from agents.code.population import BASE
from agents.registry import proposer
from agents.roles import Case, Kit, Proposer
from core.errors import UnavailableError
from core.records import Proposal
from runtime.checks.ruff import GROUPS, fixes

__all__ = ["lint_fixes"]


@proposer("lint_fixes")
def lint_fixes(groups: Sequence[str] = GROUPS, unsafe: bool = False) -> Proposer:
    """The best candidate with the fixes of the next group of `groups` that was not tried; one a cycle, then none.

    `unsafe` takes those that ruff says may change behaviour too: tests and benchmark judge them.
    """

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        return await asyncio.to_thread(_propose, case)

    def _propose(case: Case) -> list[Proposal]:
        population = case.population
        assert population is not None
        tried = {part for member in population.members.values() for part in member.parts}
        elites = population.elites()
        parent = elites[0].id if elites else BASE
        files = population.files(parent)
        for group in groups:
            part = f"ruff {group}@*"
            if part in tried:
                continue
            try:
                after = {
                    path: _fixed(text, path, group, unsafe)
                    if path.endswith(".py") and population.allowed(path)
                    else text
                    for path, text in files.items()
                }
            except UnavailableError:
                return []
            if after == files:
                continue
            proposal = case.propose_code(
                "lint_fixes",
                after,
                f"{parent} with ruff's fixes of {group}",
                operator="refinement",
                parents=(parent,),
                parts=(*population.parts_of(parent), part),
            )
            if proposal is not None:
                return [proposal]
        return []

    return propose


@lru_cache(maxsize=4096)
def _fixed(text: str, path: str, group: str, unsafe: bool) -> str:
    """Ruff is a process: most files of a candidate are those of its parent, and are not given to it again."""
    return fixes(text, path, [group], unsafe)
