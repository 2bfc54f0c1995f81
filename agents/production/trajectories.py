"""Outcomes as trajectories, and those that the next generation starts from."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from agents.production.instruments import loading
from agents.production.plans import code_of, extract_plan, standing
from agents.production.threshold import Judged, tuned_threshold
from core.ids import content_id
from core.production import OUTCOMES, ExtractedPlan, ProductionOutcome
from core.records import TestResults, Trajectory
from memory.outcomes import OutcomeStore

__all__ = ["load_production_trajectories", "quality_threshold", "trajectory_id", "trajectory_of"]

POOL = 200
"""Of the newest outcomes so many are looked at, however few are wanted."""
ALIKE = 4
"""Of those most like a task so many for each that is wanted."""
Uses = Mapping[str, tuple[int, int]]
"""Id of an outcome → (successes, all) of the later outcomes that made use of it."""


def trajectory_id(outcome_id: str) -> str:
    """The id of an outcome's trajectory."""
    return content_id("t", "production", outcome_id)


def trajectory_of(
    outcome: ProductionOutcome, plan: ExtractedPlan | None = None, uses: tuple[int, int] = (0, 0)
) -> Trajectory:
    """The lineage node of an outcome.  Its parents are the trajectories of the outcomes that it learned from.

    `success_score` is 0.0 for a failure, else the confidence of its plan after `uses` (successes, all).
    """
    outcome_id = outcome.id
    if outcome.success:
        plan = plan or extract_plan(outcome)
    score = standing(plan, *uses) if outcome.success and plan is not None else 0.0
    reasons = outcome.failure_reasons or ("failed without a reason",)
    end = "done" if outcome.success else f"failed: {'; '.join(reasons)[:200]}"
    return Trajectory(
        id=trajectory_id(outcome_id),
        parents=tuple(map(trajectory_id, outcome.learned_from)),
        operator="production",
        strategy=plan.strategy if plan else outcome.task_type,
        steps=plan.steps if plan else outcome.execution_path,
        code_changes=code_of(outcome.result),
        test_results=TestResults(
            success=outcome.success, execution_time=outcome.duration_s, steps_completed=len(outcome.execution_path)
        ),
        success_score=score,
        failure_reasons=() if outcome.success else reasons,
        metrics=_metrics(outcome.result),
        metadata={
            "source": "production",
            "agent": outcome.agent,
            "task_type": outcome.task_type,
            "task": outcome.task[:500],
            "outcome": outcome_id,
            "plan": plan.source if plan else "",
        },
        summary=f"{outcome.task_type} by {outcome.agent}: {outcome.task[:200]}; {end}",
    )


async def load_production_trajectories(
    limit: int = 10,
    success_only: bool = True,
    *,
    store: OutcomeStore | None = None,
    agent: str | None = None,
    task: str = "",
    reader: str = "",
    threshold: float | Literal["auto"] = 0.0,
) -> list[Trajectory]:
    """The best trajectories of production, best first and of equals the newest; [] without a store or in an empty one.

    Of all agents or of one; with `task`, the best out of the few outcomes most like it.  `reader` names the agent that
    takes them, and is marked as having read what others did.  No plan below `threshold`, in its confidence, is taken;
    `auto` is `quality_threshold`.  Failures, with `success_only=False`, come last.  Equal code by equal steps is taken
    once.  Malformed records are skipped and counted by the store.
    """
    if store is None or limit < 1:
        return []
    with loading(agent or "all") as note:
        found = await asyncio.to_thread(_load, store, limit, success_only, agent, task, reader, threshold)
        note(found)
    return found


def quality_threshold(store: OutcomeStore, default: float = 0.0) -> float:
    """The confidence below which plans were not worth following, by what later uses came to; else `default`."""
    uses = store.transfers.uses()
    plans = store.plans(use.source_outcome for use in uses)
    judged = [Judged(plans[use.source_outcome].confidence, use.success) for use in uses if use.source_outcome in plans]
    return tuned_threshold(judged, default)


def _load(
    store: OutcomeStore,
    limit: int,
    success_only: bool,
    agent: str | None,
    task: str,
    reader: str,
    threshold: float | Literal["auto"],
) -> list[Trajectory]:
    pool = max(POOL, ALIKE * limit)
    if task:
        items = store.search((OUTCOMES, agent) if agent else (OUTCOMES,), query=task, limit=ALIKE * limit)
        outcomes = [one for item in items if (one := store.outcome_of(item)) is not None]
        outcomes = [one for one in outcomes if one.success or not success_only]
    else:
        outcomes = store.outcomes(agent, success=True if success_only else None, limit=pool)
    known = {one.id: one for one in outcomes}
    plans = store.plans(known)
    uses = _uses(store)
    bar = quality_threshold(store) if threshold == "auto" else threshold
    taken: dict[tuple[str, str, Sequence[str]], Trajectory] = {}
    for outcome_id, one in known.items():
        plan = plans.get(outcome_id) or extract_plan(one)
        if plan is not None and plan.confidence < bar:
            continue
        made = trajectory_of(one, plan, uses.get(outcome_id, (0, 0)))
        same = (one.task_type, made.code_changes, made.steps)
        if same not in taken or taken[same].success_score < made.success_score:
            taken[same] = made
    # sorting keeps the order of equals: as found, the newest or the most alike first
    best = sorted(taken.values(), key=lambda made: -made.success_score)[:limit]
    if reader:
        store.transfers.note_read(reader, {made.metadata["outcome"]: made.metadata["agent"] for made in best})
    return best


def _uses(store: OutcomeStore) -> Uses:
    counted: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for use in store.transfers.uses():
        succeeded, used = counted[use.source_outcome]
        counted[use.source_outcome] = (succeeded + use.success, used + 1)
    return counted


def _metrics(result: Any) -> dict[str, float]:
    """The finite numbers that a dictionary has under `metrics`."""
    told = result.get("metrics") if isinstance(result, Mapping) else None
    if not isinstance(told, Mapping):
        return {}
    numbers = {str(k): v for k, v in told.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    return {name: float(value) for name, value in numbers.items() if abs(value) < 1e300 and math.isfinite(value)}
