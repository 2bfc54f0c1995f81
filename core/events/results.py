"""What was measured: the baseline, the best and what becomes of it, control arms, the verdict."""

from __future__ import annotations

from typing import Literal

from core.events.event import Event
from core.records import Baseline, Challenge, SealedResult, Verdict

__all__ = [
    "BaselineMeasured",
    "BestChallenged",
    "BestImproved",
    "ControlFinished",
    "SealedEvaluated",
    "VerdictReached",
]


class BaselineMeasured(Event):
    type: Literal["BaselineMeasured"] = "BaselineMeasured"
    baseline: Baseline


class BestImproved(Event):
    type: Literal["BestImproved"] = "BestImproved"
    proposal_id: str
    score: float
    previous: float | None


class BestChallenged(Event):
    about = ("challenge.proposal_id",)
    type: Literal["BestChallenged"] = "BestChallenged"
    challenge: Challenge


class SealedEvaluated(Event):
    type: Literal["SealedEvaluated"] = "SealedEvaluated"
    result: SealedResult


class ControlFinished(Event):
    """A control arm has spent its budget: its scores in the order of its jobs (None: failed)."""

    type: Literal["ControlFinished"] = "ControlFinished"
    arm: str
    scores: tuple[float | None, ...]

    @property
    def subject(self) -> str:
        return f"{self.arm}:{len(self.scores)}"


class VerdictReached(Event):
    type: Literal["VerdictReached"] = "VerdictReached"
    verdict: Verdict

    @property
    def subject(self) -> str:
        return f"{self.verdict.proposal_id}:{len(self.verdict.seeds)}"
