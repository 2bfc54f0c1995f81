"""Votes → tallies: pure arithmetic.

    S(p) = Σ_v w_v c_v s_v(p) / Σ_v w_v c_v

with w the voter's weight, c the confidence and s the score of its vote.  Voters that abstained do not count.
A vote of −1 with confidence 1 is a veto: it stands whatever the others say.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from core.records import Tally, TrackRecord, Vote

__all__ = ["tally_votes", "voter_weights"]


def voter_weights(own: Mapping[str, float], records: Mapping[str, TrackRecord]) -> dict[str, float]:
    """The campaign's weight of each voter times what its track record has earned it."""
    return {name: weight * (records[name].weight if name in records else 1.0) for name, weight in own.items()}


def tally_votes(proposal_ids: Sequence[str], votes: Iterable[Vote], weights: Mapping[str, float]) -> list[Tally]:
    """One tally a proposal: best first, vetoed ones last, equals in the order of `proposal_ids`."""
    by_proposal: dict[str, list[Vote]] = {proposal_id: [] for proposal_id in proposal_ids}
    for vote in votes:
        by_proposal[vote.proposal_id].append(vote)
    tallies = [_tally(proposal_id, cast, weights) for proposal_id, cast in by_proposal.items()]
    return sorted(tallies, key=lambda t: (bool(t.vetoed_by), -t.score))


def _tally(proposal_id: str, votes: Sequence[Vote], weights: Mapping[str, float]) -> Tally:
    counted = {vote.voter: weights.get(vote.voter, 1.0) for vote in votes}
    heard = [v for v in votes if counted[v.voter] > 0 and v.confidence > 0]
    own, sure = _scaled([counted[v.voter] for v in heard]), _scaled([v.confidence for v in heard])
    shares = [w * c for w, c in zip(own, sure, strict=True)]
    total = math.fsum(shares)
    score = math.fsum(share * v.score for share, v in zip(shares, heard, strict=True)) / total if total > 0 else 0.0
    vetoes = tuple(sorted(v.voter for v in votes if v.score == -1 and v.confidence == 1))
    return Tally(proposal_id=proposal_id, score=score, weights=dict(sorted(counted.items())), vetoed_by=vetoes)


def _scaled(factors: Sequence[float]) -> list[float]:
    """All times the power of two that brings the largest near 1: products of tiny ones underflow."""
    exponent = math.frexp(max(factors, default=1.0))[1]
    return [math.ldexp(factor, -exponent) for factor in factors]
