"""Revision: another approach after a failure.  What was refused is tried again without half of what was new in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field

from agents.code.bisection import Bisection
from agents.code.bundles import reapplied
from agents.code.parts import compose, split
from agents.code.population import BASE, Member, Population
from agents.registry import proposer
from agents.roles import Case, Kit, Proposer
from core.records import Proposal

__all__ = ["revise"]

MENDABLE = ("tests", "wrong_result", "benchmark", "syntax", "untimed", "time", "memory")
"""Causes of a refusal that a part of the candidate may be guilty of."""


BISECTED = 3
"""Refused candidates without parts of their own that are looked into, the newest first."""
MOST_QUESTIONS = 8
"""Parts of such a candidate that are tried: enough for one guilty part among a hundred."""


@proposer("revise")
def revise(count: Annotated[int, Field(ge=1, le=10)] = 2) -> Proposer:
    """`count` revisions of refused candidates: their parents with a part of what was new.  The newest failure first.

    Where transformations were added, half of them; a half that is refused is halved again, down to the guilty one,
    which is not offered any more; the others live on.  What a model wrote, or a merge, comes apart between statements,
    and is bisected (`agents.code.bisection`).
    """

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        return await asyncio.to_thread(_propose, case)

    def _propose(case: Case) -> list[Proposal]:
        population = case.population
        assert population is not None
        made: dict[str, Proposal] = {}
        written = 0
        for member in reversed(list(population.members.values())):
            if member.score is not None or member.cause not in MENDABLE:
                continue
            if member.added:
                found = _of_transformations(member, case, population)
            elif member.proposer != "revise" and written < BISECTED:
                written += 1
                found = _of_statements(member, case, population)
            else:
                continue
            made |= {proposal.id: proposal for proposal in found if proposal.id not in made}
            if len(made) >= count:
                break
        return list(made.values())[:count]

    return propose


def _of_transformations(member: Member, case: Case, population: Population) -> Iterator[Proposal]:
    """The halves of what was added."""
    parent = next(iter(member.parents), BASE)
    for half in _halves(member, population):
        after, done = reapplied(population.files(parent), half)
        parts = (*population.parts_of(parent), *done)
        if done and not population.tried_together(parts):
            told = f"{len(done)} of the {len(member.added)} changes"
            yield from _proposed(case, after, told, parent, member, parts)


def _of_statements(member: Member, case: Case, population: Population) -> Iterator[Proposal]:
    """The next question of the bisection, whose answers so far are what was judged of the same code."""
    parent = next((p for p in member.parents if population.score_of(p) is not None), BASE)
    before = population.files(parent)
    parts = split(before, population.files(member.id))
    search = Bisection(len(parts), {part.number: part.needs for part in parts}, most=MOST_QUESTIONS)
    while (chosen := search.question) is not None:
        after = compose(before, [parts[at] for at in chosen])
        passed = population.passed(after)
        if passed is None:
            told = f"{len(chosen)} of the {len(parts)} changes"
            yield from _proposed(case, after, told, parent, member, population.parts_of(parent))
            return
        search = search.tell(passed)


def _proposed(
    case: Case, after: dict[str, str], told: str, parent: str, member: Member, parts: tuple[str, ...]
) -> Iterator[Proposal]:
    proposal = case.propose_code(
        "revise",
        after,
        f"{told} of {member.id}, refused for {member.cause}",
        operator="revision",
        parents=(parent, member.id),
        parts=parts,
    )
    if proposal is not None:
        yield proposal


def _halves(member: Member, population: Population) -> list[list[str]]:
    """What may be tried of the added parts: each half, without those that are known to be guilty."""
    added = [part for part in member.added if part not in population.guilty]
    if len(added) < 2:
        return [added] if added and len(added) < len(member.added) else []
    middle = len(added) // 2
    return [added[:middle], added[middle:]]
