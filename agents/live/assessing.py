"""What an improvement came to, from the end of its deployment."""

from __future__ import annotations

from core.deployment import DeploymentState
from core.improvement import ImpactAssessment, ServiceLevel
from core.records import Proposal
from core.watch import WatchLevel
from search.level_change import Reduction

__all__ = ["assess"]


def assess(
    proposal: Proposal, state: DeploymentState, seconds: float, reduction: Reduction | None = None
) -> ImpactAssessment:
    """The assessment of a deployment that has ended; `seconds` from the draft to the end of its watch.

    Reductions and changes are None where one side was not seen.  `reduction` is that of the 95th percentile, with its
    interval, from the windows of both sides.
    """
    verdict = state.verdict
    before, after = (verdict.baseline, verdict.final) if verdict else (state.baseline, None)
    latency = _difference(before, after, "p95_ms")
    return ImpactAssessment(
        opportunity_id=proposal.opportunity,
        proposal_id=proposal.id,
        deployment_id=state.deployment.id,
        status="completed" if state.stage == "kept" else "rolled_back",
        reason=state.reason,
        baseline=_level(before),
        final=_level(after),
        latency_reduction_ms=None if latency is None else -latency,
        latency_reduction_percent=(
            None if latency is None or before is None or not before.p95_ms else -100 * latency / before.p95_ms
        ),
        latency_reduction_low_percent=None if reduction is None else 100 * reduction.low,
        latency_reduction_high_percent=None if reduction is None else 100 * reduction.high,
        error_rate_change=_difference(before, after, "error_rate"),
        throughput_change=_difference(before, after, "throughput"),
        seconds=max(0.0, seconds),
        rollback_seconds=state.rollback_s if state.stage == "rolled_back" else None,
    )


def _difference(before: WatchLevel | None, after: WatchLevel | None, name: str) -> float | None:
    one, two = getattr(before, name, None), getattr(after, name, None)
    return None if one is None or two is None else float(two - one)


def _level(level: WatchLevel | None) -> ServiceLevel | None:
    """In seconds, as assessments have it."""
    if level is None:
        return None
    return ServiceLevel(
        p50_s=_seconds(level.p50_ms),
        p95_s=_seconds(level.p95_ms),
        p99_s=_seconds(level.p99_ms),
        error_rate=level.error_rate,
        throughput_per_s=level.throughput,
        requests=level.requests,
        seconds=max(0.0, level.until - level.since),
        at=level.until,
    )


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
