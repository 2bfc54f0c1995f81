"""What is measured beside the cycles: the noise floor at the start, control arms and the verdict at the end.

All of it are jobs like any other: effects with a key, run once, found again after a kill.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from agents.executors.job import run_once
from core.errors import RatchetError
from core.events import BaselineMeasured, ControlFinished, JobFinished, Purpose, VerdictReached
from core.records import Baseline, Config, Experiment, Outcome, Verdict
from graph.arms import random_arm, tpe_arm
from graph.code_arms import code_arm
from graph.context import Context
from graph.nodes import score_of
from graph.together import together
from search.statistics import paired_difference

__all__ = ["BaselineError", "control_arm", "measure_baseline", "reach_verdict", "verdict_seeds"]

LEVEL = 0.9
"""Confidence level of every interval that is shown."""


class BaselineError(RatchetError):
    """The baseline gave no result, so there is nothing to improve on."""

    exit_code = 1


async def measure_baseline(context: Context) -> Baseline:
    """The baseline on `noise.repeats` seeds, from the campaign's own seed on.  Raises BaselineError."""
    if context.history.baseline is not None:
        return context.history.baseline
    campaign = context.campaign
    config = context.space.validate_config(campaign.baseline)
    seeds = [campaign.seed + i for i in range(campaign.noise.repeats)]
    first = await _measured(context, config, seeds[0], "baseline", "baseline")
    _must_have_run(context, first)
    outcomes = [
        first,
        *await together(_measured(context, config, s, "baseline", "baseline") for s in seeds[1:]),
    ]
    ran = [
        (seed, outcome, score)
        for seed, outcome in zip(seeds, outcomes, strict=True)
        if (score := score_of(context, outcome)) is not None
    ]
    baseline = Baseline(
        config=config,
        seeds=tuple(seed for seed, _, _ in ran),
        scores=tuple(score for _, _, score in ran),
        metrics={name: float(np.mean([o.metrics[name] for _, o, _ in ran])) for name in first.metrics},
        metric_noise={name: float(np.std([o.metrics[name] for _, o, _ in ran], ddof=1)) for name in first.metrics}
        if len(ran) > 1
        else {},
        jobs=tuple(outcome.job_id for _, outcome, _ in ran),
    )
    context.tell(BaselineMeasured(campaign_id=context.campaign_id, baseline=baseline))
    return baseline


async def control_arm(context: Context, arm: str, jobs: int, stopped: Callable[[], bool] = lambda: False) -> None:
    """`jobs` trials without a council, on the campaign's seed: what the same budget brings by itself.

    When `stopped` says so no further job is begun; the arm is told of when it is whole, in this run or a later one.
    """
    told = context.history.controls.get(arm)
    if jobs == 0 or (told is not None and len(told.scores) >= jobs):
        return

    async def measure(config: Config) -> float | None:
        seed = context.campaign.seed
        return score_of(context, await _measured(context, config, seed, "control", f"control:{arm}"))

    if context.code is not None:
        scores = await code_arm(context, arm, jobs, measure, stopped)
    else:
        run = tpe_arm if arm == "tpe" else random_arm
        scores = await run(context, jobs, measure, stopped)
    if len(scores) == jobs:
        context.tell(ControlFinished(campaign_id=context.campaign_id, arm=arm, scores=tuple(scores)))


def verdict_seeds(context: Context) -> list[int]:
    """Seeds that no choice of a configuration has seen: those after the campaign's own."""
    return [context.campaign.seed + 1 + i for i in range(context.campaign.noise.verdict_pairs)]


async def reach_verdict(context: Context, best: Experiment) -> Verdict | None:
    """The best against the baseline on fresh paired seeds; None when fewer than two pairs gave a result.

    The score that made it the best is not used: it was the highest of many, and flatters.
    """
    baseline = context.history.baseline
    told = context.history.verdict
    seeds = verdict_seeds(context)
    if baseline is None or len(seeds) < 2:
        return None
    if told is not None and told.proposal_id == best.proposal.id and len(told.seeds) == len(seeds):
        return told

    async def pair(seed: int) -> tuple[Outcome, Outcome]:
        ours = _measured(context, best.config, seed, "verdict", best.proposal.id)
        theirs = _measured(context, baseline.config, seed, "verdict", "baseline")
        one, other = await together((ours, theirs))
        return one, other

    pairs = await together(pair(seed) for seed in seeds)
    whole = [
        (seed, ours, theirs, a, b)
        for seed, (ours, theirs) in zip(seeds, pairs, strict=True)
        if (a := score_of(context, ours)) is not None and (b := score_of(context, theirs)) is not None
    ]
    if len(whole) < 2:
        return None
    after, before = [row[3] for row in whole], [row[4] for row in whole]
    difference = paired_difference(before, after, confidence=LEVEL)
    verdict = Verdict(
        proposal_id=best.proposal.id,
        config=best.config,
        baseline=baseline.config,
        seeds=tuple(row[0] for row in whole),
        best_scores=tuple(after),
        baseline_scores=tuple(before),
        metrics={name: float(np.mean([row[1].metrics[name] for row in whole])) for name in whole[0][1].metrics},
        gain=difference.mean,
        low=difference.low,
        high=difference.high,
        level=LEVEL,
        answer=difference.verdict,
    )
    context.tell(VerdictReached(campaign_id=context.campaign_id, verdict=verdict))
    return verdict


async def _measured(context: Context, config: Config, seed: int, purpose: Purpose, proposal_id: str) -> Outcome:
    kit = context.kit(0, "executor", purpose)
    outcome = await run_once(kit, config, seed=seed, purpose=purpose, proposal_id=proposal_id)
    context.tell(
        JobFinished(campaign_id=context.campaign_id, purpose=purpose, outcome=outcome, score=score_of(context, outcome))
    )
    return outcome


def _must_have_run(context: Context, outcome: Outcome) -> None:
    if outcome.ok:
        return
    folder = context.experiments_folder / outcome.job_id
    raise BaselineError(
        f"the baseline job gave no result: {outcome.reason or outcome.cause}",
        where=str(folder),
        hint=f"read `python run_graph.py logs {outcome.job_id}`, mend the script or the baseline, and run again",
    )
