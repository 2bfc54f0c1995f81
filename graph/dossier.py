"""The evidence about a candidate, as plain data: what was changed, why, how it was tested and timed, at what cost.

Everything comes from the ledger and the kept patches.  Texts are without secrets, and cut at `MOST_CHARACTERS`; lists
are cut at `MOST_ROWS`, and say how many were left out.
"""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from agents.code.alignment import changes
from agents.code.lines import with_ends
from agents.code.population import BASE
from agents.judge import Judgement
from core.campaign import Objective
from core.records import Experiment, Outcome
from core.scrub import scrubbed
from graph.delivered import Delivered
from graph.delivery import Delivery
from graph.model_use import model_use
from memory.history import History

__all__ = ["dossier"]

MOST_CHARACTERS = 600
MOST_ROWS = 50
MOST_ANCESTORS = 20


def dossier(delivery: Delivery, delivered: Sequence[Delivered] = ()) -> dict[str, Any]:
    """The dossier of a delivery's candidate; `delivered` is where it was given to."""
    stored, history, chosen = delivery.stored, delivery.history, delivery.chosen
    experiment, objective = chosen.experiment, stored.definition.objective
    return {
        "schema": 1,
        "candidate": chosen.id,
        "campaign": stored.id,
        "objective": {"metric": objective.metric, "goal": objective.goal},
        "grade": chosen.grade,
        "value": _value(objective, experiment.score),
        "base": {
            "digest": delivery.code.base.digest,
            "commit": delivery.code.base.commit.rstrip("+"),
            "changed_since_commit": delivery.code.base.commit.endswith("+"),
        },
        "patch": chosen.patch,
        "changes": _changes(delivery.code.population.base, delivery.changed),
        "lineage": _lineage(history, experiment, objective),
        "tests": _tests(experiment.outcome),
        "judgement": _judgement(delivery),
        "verdict": _verdict(delivery),
        "challenges": _challenges(history, chosen.id),
        "isolation": _isolation(experiment.outcome),
        "cost": _cost(delivery),
        "reproduce": _reproduce(delivery),
        "delivered": [_told(one) for one in delivered],
        "undo": [f"{one.where}: {one.undo}" for one in delivered if one.undo],
    }


def _changes(base: Mapping[str, str], changed: Mapping[str, str | None]) -> dict[str, Any]:
    """Lines added and removed, file by file."""
    rows = []
    for path, text in sorted(changed.items()):
        before = base.get(path)
        parts = changes(with_ends(before or ""), with_ends(text or ""))
        rows.append(
            {
                "path": path,
                "what": "deleted" if text is None else "new" if before is None else "changed",
                "added": sum(j2 - j1 for _, _, j1, j2 in parts),
                "removed": sum(i2 - i1 for i1, i2, _, _ in parts),
            }
        )
    return {
        "files": rows[:MOST_ROWS],
        "left_out": max(0, len(rows) - MOST_ROWS),
        "added": sum(row["added"] for row in rows),
        "removed": sum(row["removed"] for row in rows),
    }


def _lineage(history: History, last: Experiment, objective: Objective) -> dict[str, Any]:
    """The candidate and its ancestors, the oldest first, without the base; the nearest ones where they are many."""
    trials = {e.proposal.id: e for e in history.experiments()}
    found: dict[str, Experiment] = {}
    waiting = [last.proposal.id]
    while waiting:
        name = waiting.pop(0)
        if name in trials and name not in found:
            found[name] = trials[name]
            waiting += trials[name].proposal.parents
    nearest = list(found.values())[:MOST_ANCESTORS]
    nearest.sort(key=lambda e: (e.proposal.cycle, e.proposal.id))
    return {
        "ancestors": [_ancestor(e, trials, history, objective) for e in nearest],
        "left_out": len(found) - len(nearest),
    }


def _ancestor(
    experiment: Experiment, trials: Mapping[str, Experiment], history: History, objective: Objective
) -> dict[str, Any]:
    """`gain`: the score over the best of its parents', as a ratio; None where either is unknown, or not above 0."""
    proposal, score = experiment.proposal, experiment.score
    known = [history.baseline.mean] if history.baseline and BASE in proposal.parents else []
    known += [s for p in proposal.parents if p in trials and (s := trials[p].score) is not None]
    ratio = score / max(known) if score is not None and known and max(known) > 0 and score > 0 else None
    return {
        "id": proposal.id,
        "cycle": proposal.cycle,
        "operator": proposal.operator or proposal.proposer,
        "proposer": proposal.proposer,
        "source": proposal.source,
        "parents": list(proposal.parents[:MOST_ROWS]),
        "rationale": _cut(proposal.rationale),
        "status": experiment.outcome.status,
        "reason": _cut(experiment.outcome.reason),
        "value": _value(objective, score),
        "gain": ratio,
    }


def _tests(outcome: Outcome) -> dict[str, Any]:
    tests = outcome.details.get("tests", {})
    failed = [_cut(str(name)) for name in tests.get("failed", [])]
    return {
        "passed": tests.get("passed", 0),
        "failed": failed[:MOST_ROWS],
        "counted": bool(tests.get("counted")),
        "planted_failure_caught": bool(outcome.details.get("planted")),
    }


def _judgement(delivery: Delivery) -> dict[str, Any]:
    """The judge's own paired measurement, by which the candidate was chosen."""
    outcome, plan = delivery.chosen.experiment.outcome, delivery.stored.definition.code
    assert plan is not None
    metrics, pairs = outcome.metrics, outcome.details.get("pairs", [])
    return {
        "status": outcome.status,
        "cause": outcome.cause,
        "reason": _cut(outcome.reason),
        "answer": outcome.details.get("answer", ""),
        "pairs": len(pairs),
        "seconds": [list(pair) for pair in pairs[:MOST_ROWS]],
        "ratio": metrics.get("speedup"),
        "low": metrics.get("speedup_low"),
        "high": metrics.get("speedup_high"),
        "level": Judgement().level,
        "noise": outcome.details.get("noise"),
        "worth": plan.worth,
    }


def _verdict(delivery: Delivery) -> dict[str, Any] | None:
    """The comparison with the base on fresh seeds; gain, low and high are differences of scores."""
    verdict, objective = delivery.chosen.verdict, delivery.stored.definition.objective
    if verdict is None:
        return None
    return {
        "answer": verdict.answer,
        "seeds": list(verdict.seeds[:MOST_ROWS]),
        "candidate": [objective.value(s) for s in verdict.best_scores[:MOST_ROWS]],
        "base": [objective.value(s) for s in verdict.baseline_scores[:MOST_ROWS]],
        "pairs": len(verdict.seeds),
        "gain": verdict.gain,
        "low": verdict.low,
        "high": verdict.high,
        "level": verdict.level,
    }


def _challenges(history: History, candidate: str) -> list[dict[str, Any]]:
    """What it had to show before, on further seeds, against the best of its time."""
    return [
        {
            "against": challenge.incumbent,
            "pairs": len(challenge.seeds),
            "gain": challenge.gain,
            "low": _finite(challenge.low),
            "high": _finite(challenge.high),
            "level": challenge.level,
            "answer": challenge.answer,
        }
        for _, challenge in history.challenges
        if challenge.proposal_id == candidate
    ][:MOST_ROWS]


def _isolation(outcome: Outcome) -> dict[str, Any]:
    enforced = {_cut(name): _cut(how) for name, how in sorted(outcome.isolation.items())[:MOST_ROWS]}
    return {"level": outcome.details.get("isolation_level", 0), "enforced": enforced}


def _cost(delivery: Delivery) -> dict[str, Any]:
    """Of the whole campaign: a candidate costs what it took to find it.  Seconds; `wall_s` is from start to end."""
    history = delivery.history
    outcomes = list(history.outcomes.values())
    end = history.ended.at if history.ended is not None else delivery.stored.updated_at
    models = model_use(delivery.stored.definition, history)
    return {
        "jobs": dict(sorted(Counter(outcome.status for outcome in outcomes).items())),
        "candidates": len(history.experiments()),
        "job_s": math.fsum(outcome.duration_s for outcome in outcomes),
        "cpu_s": math.fsum(outcome.cpu_s for outcome in outcomes),
        "wall_s": max(0.0, end - history.started_at) if history.started_at else None,
        "model": None
        if models is None
        else {name: models[name] for name in ("models", "calls", "input_tokens", "output_tokens", "cost_usd")},
    }


def _reproduce(delivery: Delivery) -> dict[str, str]:
    campaign = delivery.stored.definition
    assert campaign.code is not None
    seed = str(campaign.seed)

    def command(words: Sequence[str], *more: str) -> str:
        return scrubbed(shlex.join(["python" if word == "{python}" else word for word in (*words, *more)]))

    return {
        "campaign": command(["{python}", "run_graph.py", "run", campaign.path, "--new", "--seed", seed]),
        "tests": command(campaign.code.tests),
        "benchmark": command(campaign.code.benchmark, "--seed", seed),
        "folder": scrubbed(str(delivery.root)),
    }


def _told(one: Delivered) -> dict[str, Any]:
    told = one.as_json()
    for name in ("files", "merged", "differ", "backups"):
        told |= {name: told[name][:MOST_ROWS], f"{name}_left_out": max(0, len(told[name]) - MOST_ROWS)}
    return told


def _value(objective: Objective, score: float | None) -> float | None:
    return None if score is None else objective.value(score)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _cut(text: str) -> str:
    told = scrubbed(text)
    return told if len(told) <= MOST_CHARACTERS else f"{told[:MOST_CHARACTERS]} … ({len(told)} characters in all)"
