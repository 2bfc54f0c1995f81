"""What happens to a live service, in lines."""

from __future__ import annotations

from core.events import (
    AnyEvent,
    DegradationSeen,
    ImprovementAssessed,
    ImprovementDeployed,
    ImprovementNotDrafted,
    ImprovementRolledBack,
    ImprovementValidated,
    OpportunityFound,
)
from core.improvement import ImpactAssessment

__all__ = ["assessment_line", "live_line"]


def live_line(event: AnyEvent, verbose: bool = False) -> tuple[str, str, str] | None:
    """What, its line, and its style; None for an event of another kind, or one for who wants to know everything."""
    match event:
        case OpportunityFound(opportunity=found) if verbose or event.place == 1:
            where = f" in {found.function}" if found.function else f" of {found.subject}"
            return "opportunity", f"{found.kind}{where}: {found.evidence[0]}; impact {found.impact:,.0f}", ""
        case ImprovementNotDrafted() if verbose:
            return "no draft", f"{event.opportunity_id} {event.reason}", ""
        case ImprovementValidated(validation=told):
            if told.errors:
                return "checks", f"{event.proposal_id} {len(told.errors)} errors: {told.errors[0]}", "bad"
            measured = f"quality {event.quality:.2f}, risk {event.risk:.2f}"
            return "checks", f"{event.proposal_id} all passed in {told.seconds:.0f} s: {measured}", ""
        case ImprovementDeployed():
            whom = f" for {event.share:.0%} of the requests" if event.share < 1 else ""
            return "deployed", f"{event.proposal_id} {', '.join(event.paths)} is live{whom}, and watched", "good"
        case DegradationSeen():
            return "degraded", f"{event.proposal_id} {event.reason}", "bad"
        case ImprovementRolledBack():
            again = "is in its place; nobody has seen it serve yet"
            if event.seconds is not None:
                again = f"is live again after {event.seconds:.2f} s"
            return "rolled back", f"{event.proposal_id} the version before {again}", "bad"
        case ImprovementAssessed(assessment=told):
            return "assessed", assessment_line(told), "strong"
        case _:
            return None


def assessment_line(told: ImpactAssessment) -> str:
    """What it came to, with numbers."""
    line = f"{told.proposal_id} {told.status.replace('_', ' ')}"
    before, after = told.baseline, told.final
    if before is not None and after is not None and before.p95_s is not None and after.p95_s is not None:
        line += f": p95 {1000 * before.p95_s:.1f} → {1000 * after.p95_s:.1f} ms"
        if told.latency_reduction_percent is not None:
            line += f", latency {-told.latency_reduction_percent:+.0f} %"
        low, high = told.latency_reduction_low_percent, told.latency_reduction_high_percent
        if low is not None and high is not None:
            line += f" [{-high:+.0f}, {-low:+.0f}]"
    elif told.reason:
        line += f": {told.reason}"
    return line
