"""What OpenTelemetry is told of improvement cycles.  Without a provider in the process it costs microseconds.

Counters and the histogram have the public names: improvement_cycles_started, improvement_cycles_completed,
improvement_cycles_failed, improvements_deployed, improvements_rolled_back, cycle_duration_seconds,
opportunities_identified, impact_score_total, llm_tokens_used, cloudwatch_api_calls.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from core.events import (
    AnyEvent,
    CampaignInterrupted,
    CycleStarted,
    ImprovementDeployed,
    ImprovementReported,
    ImprovementRolledBack,
    ModelCalled,
    OpportunityFound,
    TelemetryAnalysed,
)
from memory.improvement_counts import BY_PEOPLE

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, Histogram

__all__ = ["COUNTERS", "note"]

COUNTERS = {
    "improvement_cycles_started": "{cycle}",
    "improvement_cycles_completed": "{cycle}",
    "improvement_cycles_failed": "{cycle}",
    "improvements_deployed": "{improvement}",
    "improvements_rolled_back": "{improvement}",
    "opportunities_identified": "{opportunity}",
    "impact_score_total": "1",
    "llm_tokens_used": "{token}",
    "cloudwatch_api_calls": "{call}",
}
"""Name → unit."""
BUCKETS_S = (5, 15, 30, 60, 120, 300, 600, 1800, 7200)


def note(event: AnyEvent) -> None:
    """Count one event of a campaign on a live service, as it happens."""
    match event:
        case CycleStarted():
            _count("improvement_cycles_started")
        case CampaignInterrupted() if event.reason not in BY_PEOPLE:
            _count("improvement_cycles_failed")
        case ImprovementDeployed():
            _count("improvements_deployed")
        case ImprovementRolledBack():
            _count("improvements_rolled_back")
        case OpportunityFound():
            _count("opportunities_identified")
        case ModelCalled():
            _count("llm_tokens_used", event.input_tokens + event.output_tokens)
        case TelemetryAnalysed():
            _count("cloudwatch_api_calls", event.counts.get("cloudwatch_api_calls", 0))
        case ImprovementReported(report=report):
            _count("improvement_cycles_completed")
            _count("impact_score_total", report.total_impact)
            _duration().record(max(0.0, report.finished_at - report.started_at))
        case _:
            pass


def _count(name: str, by: float = 1) -> None:
    if by:
        _counters()[name].add(by)


@cache
def _counters() -> dict[str, Counter]:
    """Made once: an instrument made before there is a provider passes on to the one that comes."""
    from opentelemetry import metrics

    meter = metrics.get_meter("ratchet")
    return {name: meter.create_counter(name, unit=unit) for name, unit in COUNTERS.items()}


@cache
def _duration() -> Histogram:
    from opentelemetry import metrics

    return metrics.get_meter("ratchet").create_histogram(
        "cycle_duration_seconds", unit="s", explicit_bucket_boundaries_advisory=list(BUCKETS_S)
    )
