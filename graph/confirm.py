"""Whether a new best is one: where a single run cannot tell it from the last one told, both run again on equal seeds.

Notation: σ the noise floor of a single run, from r repeats of the baseline; d_1 … d_n paired differences of scores.
A first difference above `CLEAR` · σ is believed as it stands.  Else, with n pairs of further seeds,

    s² = ((r - 1) · 2σ² + Σ (d_i - d̄)²) / (r + n - 2),    interval  d̄ ± t_(r+n-2) s / √n

pools what was known of the noise with what the pairs show.  The runs that made it look the best are not used: they
were chosen for it.  All of it are jobs like any other, bounded by `noise.confirmations` for the whole campaign.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from agents.executors.job import run_once
from agents.roles import Case
from core.events import AnyEvent, BestChallenged, BestImproved, JobFinished
from core.records import Challenge, Config, Experiment
from graph.context import Context
from graph.together import together
from search.statistics import pooled_difference

__all__ = ["CLEAR", "SEED_OFFSET", "improvements"]

CLEAR = 2 * math.sqrt(2)
"""Differences of two single runs have √2 the noise of one; beyond twice that they are believed."""
SEED_OFFSET = 1000
"""Seeds of confirmations begin here: none that the trials, the baseline or the verdict use."""
LEVEL = 0.9


async def improvements(context: Context, case: Case, experiments: Sequence[Experiment]) -> list[AnyEvent]:
    """What is to be told of this cycle's best: that it improved on the last best told, or that it challenged that one
    and how it ended.  Nothing when no score is above it."""
    scored = [e for e in experiments if e.score is not None and e.outcome.ok]
    best = max(scored, key=lambda e: e.score or 0.0, default=None)
    if best is None or best.score is None:
        return []
    incumbent, config, before = _incumbent(context, case)
    where = {"campaign_id": context.campaign_id, "cycle": case.cycle}
    improved = BestImproved(proposal_id=best.proposal.id, score=best.score, previous=before, **where)
    if before is None:
        return [improved]
    gain = best.score - before
    if gain <= 0:
        return []
    noise = max(case.baseline.noise_sd if case.baseline else 0.0, _judges_noise(context, case))
    if gain > CLEAR * noise or config is None or config == best.config:
        return [improved]
    challenge = await _challenge(context, case, best, incumbent, config, gain)
    told = BestChallenged(challenge=challenge, **where)
    return [told, improved] if challenge.answer == "better" else [told]


def _incumbent(context: Context, case: Case) -> tuple[str, Config | None, float | None]:
    """Who was last declared the best before this cycle, the baseline at first: name, configuration, and mean score.

    Not the best-looking trial: against that a climb of many small steps, each inside the noise, would never be told.
    """
    baseline = case.baseline
    names = [told.proposal_id for told in context.history.improvements if told.cycle < case.cycle]
    holder = next((e for e in case.history if names and e.proposal.id == names[-1]), None)
    if holder is not None and holder.score is not None:
        told = context.history.runs(before=case.cycle).get(holder.proposal.id, (holder.score,))
        own = math.fsum(told) / len(told)
        if baseline is None or own > baseline.mean:
            return holder.proposal.id, holder.config, own
    return ("", None, None) if baseline is None else ("baseline", baseline.config, baseline.mean)


def _judges_noise(context: Context, case: Case) -> float:
    """Of a score on code: that of one pair of runs of the base with itself, as its judge measured it; 0 elsewhere."""
    first = context.history.outcomes.get(case.baseline.jobs[0]) if case.baseline and case.baseline.jobs else None
    told = first.details.get("noise") if first is not None else None
    return float(told) if told else 0.0


async def _challenge(
    context: Context, case: Case, best: Experiment, incumbent: str, config: Config, gain: float
) -> Challenge:
    plan = context.campaign.noise
    spent = sum(2 * len(c.seeds) for cycle, c in context.history.challenges if cycle < case.cycle)
    pairs = min(plan.confirmation_pairs, (plan.confirmations - spent) // 2)
    unknown = Challenge(
        proposal_id=best.proposal.id, incumbent=incumbent, gain=gain, low=-math.inf, high=math.inf, answer="cannot tell"
    )
    if pairs < 1 or case.baseline is None:
        return unknown
    first = context.campaign.seed + SEED_OFFSET
    seeds = range(first, first + pairs)
    # one flat generator: a generator inside another would look up whose turn it is only after the last turn
    told = await together(
        _score(context, case, c, seed, name)
        for c, name in ((best.config, best.proposal.id), (config, incumbent))
        for seed in seeds
    )
    ours, theirs = told[:pairs], told[pairs:]
    whole = [(s, a, b) for s, a, b in zip(seeds, ours, theirs, strict=True) if a is not None and b is not None]
    if not whole:
        return unknown
    after, before = [row[1] for row in whole], [row[2] for row in whole]
    difference = pooled_difference(
        before, after, noise_sd=case.baseline.noise_sd, freedom=len(case.baseline.scores) - 1, confidence=LEVEL
    )
    return Challenge(
        proposal_id=best.proposal.id,
        incumbent=incumbent,
        seeds=tuple(row[0] for row in whole),
        scores=tuple(after),
        incumbent_scores=tuple(before),
        gain=difference.mean,
        low=difference.low,
        high=difference.high,
        level=LEVEL,
        answer=difference.verdict,
    )


async def _score(context: Context, case: Case, config: Config, seed: int, proposal_id: str) -> float | None:
    kit = context.kit(case.cycle, "executor", "confirmation")
    outcome = await run_once(kit, config, seed=seed, purpose="confirmation", proposal_id=proposal_id, cycle=case.cycle)
    value = outcome.metrics.get(context.campaign.objective.metric)
    score = context.campaign.objective.score(value) if outcome.ok and value is not None else None
    context.tell(
        JobFinished(
            campaign_id=context.campaign_id, cycle=case.cycle, purpose="confirmation", outcome=outcome, score=score
        )
    )
    return score
