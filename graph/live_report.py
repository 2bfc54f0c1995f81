"""The report of one improvement cycle, from the events of the campaign alone."""

from __future__ import annotations

from core.ids import content_id
from core.improvement import ImpactAssessment, ImprovementReport
from core.records import Lesson
from memory.history import Cycle, History

__all__ = ["cycle_report"]


def cycle_report(
    history: History, number: int, lessons: tuple[Lesson, ...], *, tenant: str, finished_at: float
) -> ImprovementReport | None:
    """The report of a cycle; None when its telemetry was never analysed.

    Model calls of the cycle are counted to the improvements that a model wrote, evenly.
    """
    cycle = history.cycle(number)
    if cycle.analysed is None:
        return None
    assessments = [*cycle.assessments.values(), *_not_live(cycle)]
    return ImprovementReport(
        id=content_id("r", history.campaign_id, number),
        campaign_id=history.campaign_id,
        cycle=number,
        tenant_id=tenant,
        trigger=cycle.analysed.trigger,
        started_at=cycle.started_at,
        finished_at=finished_at,
        window_hours=max(0.0, cycle.analysed.end - cycle.analysed.begin) / 3600,
        telemetry=cycle.analysed.counts,
        unknown=cycle.analysed.unknown,
        opportunities=tuple(cycle.opportunities.values()),
        assessments=tuple(_with_costs(assessments, history, number)),
        learned=tuple(lesson.text for lesson in lessons if lesson.withdraws is None),
    )


def _not_live(cycle: Cycle) -> list[ImpactAssessment]:
    """What never went live: refused by checks, votes or rules, or not even drafted."""
    refused = [
        ImpactAssessment(
            opportunity_id=cycle.proposals[ruled.ruling.proposal_id].proposal.opportunity,
            proposal_id=ruled.ruling.proposal_id,
            status="refused",
            reason=f"{ruled.ruling.rule}: {ruled.ruling.reason}",
        )
        for ruled in cycle.rulings.values()
        if ruled.ruling.decision in ("reject", "ask") and ruled.ruling.proposal_id in cycle.proposals
    ]
    undrafted = [
        ImpactAssessment(opportunity_id=told.opportunity_id, status="needs_model", reason=told.reason)
        for told in cycle.not_drafted.values()
    ]
    return [*refused, *undrafted]


def _with_costs(assessments: list[ImpactAssessment], history: History, number: int) -> list[ImpactAssessment]:
    calls = [call for call in history.model_calls if call.cycle == number]
    cycle = history.cycle(number)
    by_model = [p for p, made in cycle.proposals.items() if made.proposal.source == "model"]
    if not calls or not by_model:
        return assessments
    share = {
        "tokens": sum(call.input_tokens + call.output_tokens for call in calls) // len(by_model),
        "cost_usd": sum(call.cost_usd for call in calls) / len(by_model),
        "api_calls": sum(call.attempts for call in calls) // len(by_model),
    }
    return [one.model_copy(update=share) if one.proposal_id in by_model else one for one in assessments]
