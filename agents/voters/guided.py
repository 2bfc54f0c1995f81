"""The voter that speaks for guidance: how far a proposal is what people would like."""

from __future__ import annotations

import math

import numpy as np

from agents.guidance.steering import SEAT, InForce, matches
from agents.registry import voter
from agents.roles import Case, Kit, Voter
from core.records import Proposal, Vote

__all__ = ["guided"]


@voter(SEAT, kinds=("experiment", "code"))
def guided(confidence: float = 0.3) -> Voter:
    """The mean over what guidance prefers: 1 for a proposal that is so, −1 for one that is not.

    A focus on a metric counts as one more: tanh of how many standard deviations of the finished trials the prediction
    lies on the better side of their mean.  Where the metric is not predicted it counts nothing.  It is seated by itself
    when guidance prefers something, with a low `confidence`: a wish is a small prior beside what was measured.
    """

    async def vote(proposal: Proposal, case: Case, kit: Kit) -> Vote:
        told: list[tuple[float, str]] = []
        for wish in case.steering().soft:
            judged = _judged(wish, proposal, case)
            if judged is not None:
                told.append((judged, f"{'as' if judged > 0 else 'not as'} {wish}"))
        for focus in case.steering().focused("metric"):
            ahead = _ahead(focus, proposal, case)
            if ahead is not None:
                said = "better" if ahead > 0 else "worse"
                told.append((ahead, f"{focus.id}: {focus.meaning.name} predicted {said} than usual"))
        if not told:
            reason = "guidance says nothing of it"
            return Vote(proposal_id=proposal.id, voter=SEAT, score=0.0, confidence=0.0, reason=reason)
        score = math.fsum(judged for judged, _ in told) / len(told)
        reason = "; ".join(reason for _, reason in told)
        return Vote(proposal_id=proposal.id, voter=SEAT, score=score, confidence=confidence, reason=reason)

    return vote


def _judged(wish: InForce, proposal: Proposal, case: Case) -> float | None:
    """1 or −1; None where the proposal has nothing of what the wish is about."""
    m = wish.meaning
    if m.kind == "exclusion":
        against = m.name in proposal.config and matches(proposal, m, case.space)
        return -1.0 if against else None
    if m.target == "parameter" and m.name not in proposal.config:
        return None
    return 1.0 if matches(proposal, m, case.space) else -1.0


def _ahead(focus: InForce, proposal: Proposal, case: Case) -> float | None:
    """How much better the metric is predicted than it was so far, in −1 … 1."""
    name = focus.meaning.name
    objective = case.campaign.objective
    seen = [e.outcome.metrics[name] for e in case.history if e.outcome.ok and name in e.outcome.metrics]
    expected = proposal.expected_metrics.get(name)
    value = None if expected is None else expected.mean
    if value is None and name == objective.metric and proposal.expected is not None:
        value = objective.value(proposal.expected.mean)
    if value is None or len(seen) < 2:
        return None
    spread = float(np.std(seen)) or 1.0
    better = -1.0 if focus.meaning.toward == "low" else 1.0
    return math.tanh(better * (value - float(np.mean(seen))) / spread)
