"""The sealed evaluation: run once at the end, on the best and on the baseline, and shown to nobody who decides.

It has a command of its own (a held-out test set, say).  Its answers are told in an event that no case is made from,
and it is run for one configuration only: whoever could ask again with another would be choosing by it.
"""

from __future__ import annotations

from agents.executors.job import run_once
from core.campaign import Campaign, Objective
from core.events import JobFinished, SealedEvaluated
from core.records import Config, Experiment, SealedResult
from graph.context import Context
from graph.together import together

__all__ = ["sealed_evaluation"]


async def sealed_evaluation(context: Context, best: Experiment) -> SealedResult | None:
    """The result; None when the campaign names no sealed evaluation.  The first one stands for good."""
    campaign, baseline = context.campaign, context.history.baseline
    if campaign.sealed is None or baseline is None:
        return None
    if context.history.sealed is not None:
        return context.history.sealed
    other = campaign.model_copy(
        update={
            "command": campaign.sealed.command,
            "objective": Objective(metric=campaign.sealed.metric, goal=campaign.sealed.goal),
            "metrics": (),
            "early_stop": None,
        }
    )
    ours, theirs = await together(
        _value(context, other, config, name)
        for config, name in ((best.config, best.proposal.id), (baseline.config, "baseline"))
    )
    result = SealedResult(
        proposal_id=best.proposal.id,
        metric=campaign.sealed.metric,
        best=ours,
        baseline=theirs,
        seed=campaign.seed,
    )
    context.tell(SealedEvaluated(campaign_id=context.campaign_id, result=result))
    return result


async def _value(context: Context, other: Campaign, config: Config, proposal_id: str) -> float | None:
    kit = context.kit(0, "executor", "sealed", campaign=other)
    outcome = await run_once(
        kit, config, seed=other.seed, purpose="sealed", proposal_id=proposal_id, other_command=True
    )
    context.tell(JobFinished(campaign_id=context.campaign_id, purpose="sealed", outcome=outcome))
    return outcome.metrics.get(other.objective.metric) if outcome.ok else None
