"""What an opportunity is worth, in which order opportunities are taken, and how many at once.

score = gain % · users per hour · times a day / 100
        · 2 critical, 1.5 high, 1 medium, 0.5 low severity
        · 0.5 where confidence < 0.7
        · 0.5 high, 0.8 medium, 1 low risk

priority: critical above 5000 (now), high above 1000 (next cycle), medium above 100 (when there is room), low (waits)
order:    critical severity first; then score; then lower risk; then higher confidence
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.improvement import ImprovementOpportunity, Priority

__all__ = ["ImprovementQueue", "impact_score", "in_order", "priority", "scored"]

SEVERITY_FACTORS = {"critical": 2.0, "high": 1.5, "medium": 1.0, "low": 0.5}
RISK_FACTORS = {"high": 0.5, "medium": 0.8, "low": 1.0}
RISK_ORDER = {"low": 0, "medium": 1, "high": 2}
SURE = 0.7
UNSURE_FACTOR = 0.5
CRITICAL, HIGH, MEDIUM = 5000.0, 1000.0, 100.0


def impact_score(one: ImprovementOpportunity) -> float:
    """Its impact score, at least 0."""
    raw = one.performance_gain_percent * one.affected_users_per_hour * one.frequency_per_day / 100
    sure = 1.0 if one.confidence >= SURE else UNSURE_FACTOR
    return raw * SEVERITY_FACTORS[one.severity] * sure * RISK_FACTORS[one.risk]


def priority(score: float) -> Priority:
    """The class of a score."""
    if score > CRITICAL:
        return "critical"
    if score > HIGH:
        return "high"
    return "medium" if score > MEDIUM else "low"


def scored(one: ImprovementOpportunity) -> ImprovementOpportunity:
    """The same with its impact and priority."""
    score = impact_score(one)
    return one.model_copy(update={"impact": score, "priority": priority(score)})


def in_order(opportunities: Iterable[ImprovementOpportunity]) -> tuple[ImprovementOpportunity, ...]:
    """All of them, scored, the one to take first first; equal ones by their ids."""
    return tuple(
        sorted(
            map(scored, opportunities),
            key=lambda one: (
                one.severity != "critical", -one.impact, RISK_ORDER[one.risk], -one.confidence, one.id,
            ),
        )
    )  # fmt: skip


@dataclass(frozen=True)
class ImprovementQueue:
    """What is worked on and what waits.  It never changes: each step gives the next queue.

    At most `limit` are worked on at once.  An opportunity that is system-wide is not taken before it is approved, and
    does not hold up those behind it.
    """

    limit: int = 3
    running: tuple[str, ...] = ()
    waiting: tuple[ImprovementOpportunity, ...] = ()
    approved: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError(f"at least one at once, not {self.limit}")

    def found(self, opportunities: Iterable[ImprovementOpportunity]) -> ImprovementQueue:
        """With these too.  One found again takes the place of its older self; one being worked on is left alone."""
        by_id = {one.id: one for one in self.waiting}
        by_id |= {one.id: one for one in opportunities if one.id not in self.running}
        return ImprovementQueue(self.limit, self.running, in_order(by_id.values()), self.approved)

    def approve(self, opportunity_id: str) -> ImprovementQueue:
        return ImprovementQueue(self.limit, self.running, self.waiting, self.approved | {opportunity_id})

    def start(self) -> tuple[tuple[ImprovementOpportunity, ...], ImprovementQueue]:
        """Those to start now, in order, and the queue without them."""
        ready = [one for one in self.waiting if not one.system_wide or one.id in self.approved]
        taken = tuple(ready[: max(0, self.limit - len(self.running))])
        ids = {one.id for one in taken}
        rest = tuple(one for one in self.waiting if one.id not in ids)
        return taken, ImprovementQueue(self.limit, self.running + tuple(one.id for one in taken), rest, self.approved)

    def finish(self, opportunity_id: str) -> ImprovementQueue:
        """One is done, one way or another.  Raises ValueError when nobody works on it."""
        if opportunity_id not in self.running:
            raise ValueError(f"{opportunity_id} is not being worked on")
        rest = tuple(one for one in self.running if one != opportunity_id)
        return ImprovementQueue(self.limit, rest, self.waiting, self.approved - {opportunity_id})
