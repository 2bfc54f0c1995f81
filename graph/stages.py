"""A finished cycle in figures: one entry a node, and the counts that go with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from core.records import Lesson, Trajectory
from graph.state import CycleState

__all__ = ["count", "describe"]


def describe(
    state: CycleState, lessons: Sequence[Lesson], trajectories: Sequence[Trajectory]
) -> dict[str, dict[str, Any]]:
    """What each node did, in the order of the cycle."""
    direction = state["direction"]
    agenda, votes, rulings = state["agenda"], state.get("votes", []), state.get("rulings", [])
    experiments = state.get("experiments", [])
    sharpened = sum(not proposal.is_trial for proposal in agenda)
    by_voter = Counter(vote.voter for vote in votes)
    return {
        "director": {"mode": direction.mode, "jobs": direction.jobs, "reason": direction.reason},
        "proposer": dict(Counter(p.proposer for p in state.get("proposals", []))),
        "agenda": {"proposals": len(agenda), "duplicates": len(state.get("proposals", [])) - len(agenda)},
        **({"sharpen": {"proposals": sharpened}} if sharpened else {}),
        "voter": dict(by_voter),
        "tally": {t.proposal_id: round(t.score, 4) for t in state.get("tallies", [])},
        "supervisor": dict(Counter(ruling.decision for ruling in rulings)),
        "executor": dict(Counter(e.outcome.status for e in experiments)),
        "historian": {"trajectories": len(trajectories), "lessons": len(lessons)},
    }


def count(state: CycleState) -> dict[str, float]:
    """The figures of the cycle; `best_score` is that of this cycle's own jobs."""
    experiments = [e for e in state.get("experiments", []) if e.proposal.is_trial]
    scores = [e.score for e in experiments if e.score is not None]
    counted: dict[str, float] = {
        "total_proposals": len(state["agenda"]),
        "approved_proposals": sum(r.decision in ("accept", "amend") for r in state.get("rulings", [])),
        "jobs_ok": sum(e.outcome.ok for e in experiments),
        "jobs_failed": sum(e.outcome.status == "failed" for e in experiments),
        "jobs_stopped": sum(e.outcome.status == "stopped" for e in experiments),
    }
    if scores:
        counted["best_score"] = max(scores)
    return counted
