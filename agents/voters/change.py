"""Voters on a candidate's code: how its operator did so far, how large it is, and whether it was there before."""

from __future__ import annotations

import math

from agents.registry import voter
from agents.roles import Case, Kit, Voter
from core.records import Proposal, Vote

__all__ = ["change_novelty", "change_size", "operator_record"]


@voter("operator_record", kinds=("code",))
def operator_record() -> Voter:
    """score = 2 p − 1, with p the probability of being better than its parents, as learned of its operator and its
    transformations (see `search.bandit`); the confidence grows with the number of earlier ones."""

    async def vote(proposal: Proposal, case: Case, kit: Kit) -> Vote:
        population = case.population
        assert population is not None
        names = {part.partition("@")[0] for part in population.added_by(proposal)}
        kinds = population.transformations.rates()
        told = [row for name in names if (row := population.by_transformation.get(name))]
        told += [row for row in [population.by_operator.get(proposal.operator)] if row]
        believed = [kinds[name].success for name in names if name in kinds]
        believed += [rate.success for name, rate in population.operators.rates().items() if name == proposal.operator]
        tried = sum(row.tried for row in told)
        if not tried:
            reason = "neither its operator nor its transformations were tried before"
            return Vote(proposal_id=proposal.id, voter="operator_record", score=0, confidence=0.1, reason=reason)
        rate = math.fsum(believed) / len(believed) if believed else 0.5
        return Vote(
            proposal_id=proposal.id,
            voter="operator_record",
            score=2 * rate - 1,
            confidence=tried / (tried + 5),
            reason=f"{sum(row.better for row in told)} of {tried} earlier candidates of its kind were better",
        )

    return vote


@voter("change_size", kinds=("code",))
def change_size(lines: int = 200) -> Voter:
    """Small changes are easier to read and to trust: score = 1 − n / `lines`, at least −1, for n changed lines."""

    async def vote(proposal: Proposal, case: Case, kit: Kit) -> Vote:
        population = case.population
        assert population is not None
        changed = changed_lines(population.patch_of(proposal))
        return Vote(
            proposal_id=proposal.id,
            voter="change_size",
            score=max(-1.0, 1 - changed / lines),
            confidence=0.2,
            reason=f"{changed} lines are changed",
        )

    return vote


@voter("change_novelty", kinds=("code",))
def change_novelty() -> Voter:
    """Veto what was judged before, by its syntax tree; else approve the more, the fewer of its parts were tried."""

    async def vote(proposal: Proposal, case: Case, kit: Kit) -> Vote:
        population = case.population
        assert population is not None
        if population.is_known(population.tree(population.changed_of(proposal))):
            reason = "the same code was judged before"
            return Vote(proposal_id=proposal.id, voter="change_novelty", score=-1, confidence=1, reason=reason)
        seen = {part for member in population.members.values() for part in member.added}
        new = sum(part not in seen for part in proposal.parts)
        share = new / len(proposal.parts) if proposal.parts else 1.0
        reason = (
            f"{new} of its {len(proposal.parts)} parts were not tried"
            if proposal.parts
            else "nothing like it was tried"
        )
        return Vote(proposal_id=proposal.id, voter="change_novelty", score=share, confidence=0.3, reason=reason)

    return vote


def changed_lines(diff: str) -> int:
    """Lines that a unified diff takes out or puts in."""
    lines = diff.splitlines()
    return sum(line[:1] in "+-" and line[:3] not in ("+++", "---") for line in lines if line)
