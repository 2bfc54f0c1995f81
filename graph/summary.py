"""A campaign as plain data: what `--json`, the table and the report show."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from agents.forecasts import calibration_of
from core.campaign import Objective
from core.records import Experiment
from graph.model_use import model_use
from memory.history import History
from memory.ledger import StoredCampaign
from search.acquisition import pareto_front

__all__ = ["best_so_far", "fork_of", "summarise"]


def summarise(stored: StoredCampaign, history: History, *, status: str, reason: str = "") -> dict[str, Any]:
    """Campaign, cycles, best, baseline, jobs, control arms, and the command that goes on."""
    definition = stored.definition
    objective = definition.objective
    statuses = Counter(outcome.status for outcome in history.outcomes.values())
    finished = [cycle for _, cycle in sorted(history.cycles.items()) if cycle.finished]
    return {
        "campaign": stored.id,
        "name": definition.name,
        "status": status,
        "reason": reason,
        "objective": {"metric": objective.metric, "goal": objective.goal},
        "cycles": [
            {
                "cycle": cycle.number,
                "mode": cycle.direction.mode if cycle.direction else None,
                "stages": cycle.finished.stages if cycle.finished else {},
                "metrics": cycle.finished.metrics if cycle.finished else {},
            }
            for cycle in finished
        ],
        "best": _best(history, objective),
        "baseline": _baseline(history),
        "jobs": {
            "ok": statuses["ok"],
            "failed": statuses["failed"],
            "stopped": statuses["stopped"],
            "cancelled": statuses["cancelled"],
        },
        "control": {
            arm: {
                "jobs": len(told.scores),
                "failed": sum(s is None for s in told.scores),
                "best": max(
                    (objective.value(s) for s in told.scores if s is not None), key=objective.score, default=None
                ),
            }
            for arm, told in history.controls.items()
        },
        "pareto": pareto(stored, history),
        "challenges": [challenge.model_dump(mode="json", exclude={"version"}) for _, challenge in history.challenges],
        "sealed": history.sealed.model_dump(mode="json", exclude={"version"}) if history.sealed else None,
        "calibration": calibration_of(history.experiments()),
        "model": model_use(definition, history),
        "lessons": [lesson.text for lesson in history.lessons()],
        "fork_of": fork_of(history),
        "resume": None if status == "finished" else f"python run_graph.py resume {stored.id}",
    }


def fork_of(history: History) -> dict[str, Any] | None:
    """The campaign that this one was forked from, and where; None for one that was begun from nothing."""
    origin = history.fork_of
    if origin is None:
        return None
    return {"campaign": origin.parent, "at": str(origin.point), "edits": origin.edits}


def pareto(stored: StoredCampaign, history: History) -> list[dict[str, Any]]:
    """The finished trials, the baseline among them, that no other beats in every objective: best first by the first.

    Empty for a campaign with one objective.
    """
    objectives = stored.definition.objectives
    if len(objectives) < 2:
        return []
    points = [(e.proposal.id, e.config, e.outcome.metrics) for e in history.experiments() if e.outcome.ok]
    if history.baseline is not None:
        points.append(("baseline", history.baseline.config, history.baseline.metrics))
    points = [point for point in points if all(one.metric in point[2] for one in objectives)]
    if not points:
        return []
    scores = np.array([[one.score(point[2][one.metric]) for one in objectives] for point in points])
    front = sorted(pareto_front(scores), key=lambda i: -scores[i, 0])
    return [
        {
            "proposal": points[i][0],
            "config": points[i][1],
            "metrics": {o.metric: points[i][2][o.metric] for o in objectives},
        }
        for i in front
    ]


def best_so_far(scores: list[float | None], objective: Objective) -> list[float | None]:
    """The best value of the metric after each trial, in the metric's own direction."""
    curve: list[float | None] = []
    best: float | None = None
    for score in scores:
        if score is not None and (best is None or score > best):
            best = score
        curve.append(None if best is None else objective.value(best))
    return curve


def _best(history: History, objective: Objective) -> dict[str, Any] | None:
    best = history.best()
    if best is None:
        return None
    return {
        "proposal": best.proposal.id,
        "proposer": best.proposal.proposer,
        "cycle": best.proposal.cycle,
        "config": best.config,
        "change": [part.rpartition("#")[0] for part in best.proposal.parts],
        "rationale": best.proposal.rationale,
        "metrics": best.outcome.metrics,
        "interval": _interval(history, best, objective),
    }


def _interval(history: History, best: Experiment, objective: Objective) -> dict[str, Any] | None:
    """The gain over the baseline as a difference of scores, on fresh paired seeds."""
    verdict = history.verdict
    if verdict is None or verdict.proposal_id != best.proposal.id:
        return None
    return {
        "metric": objective.metric,
        "gain": verdict.gain,
        "low": verdict.low,
        "high": verdict.high,
        "level": verdict.level,
        "pairs": len(verdict.seeds),
        "mean": objective.value(sum(verdict.best_scores) / len(verdict.best_scores)),
        "baseline_mean": objective.value(sum(verdict.baseline_scores) / len(verdict.baseline_scores)),
        "answer": verdict.answer,
    }


def _baseline(history: History) -> dict[str, Any] | None:
    baseline = history.baseline
    if baseline is None:
        return None
    return {
        "config": baseline.config,
        "metrics": baseline.metrics,
        "noise_sd": baseline.noise_sd,
        "seeds": list(baseline.seeds),
    }
