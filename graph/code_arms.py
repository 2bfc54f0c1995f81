"""Control arms of a campaign on code: what the same number of judged candidates brings without choosing.

best_of_n   every candidate is the base with some transformations drawn blindly: no lineage, no learning
random      candidates are made from any earlier one that passed, by transformations drawn blindly: lineage, no choice

What is drawn depends on the campaign's seed and on what was answered, so an arm that was cut off goes on as it began.
"""

from __future__ import annotations

import asyncio

import numpy as np

from agents.code.bundles import applied, sites_of
from agents.code.population import Population
from core.ids import content_hash
from core.records import PATCH
from graph.arms import Measure, Stopped
from graph.context import Context

__all__ = ["code_arm"]

MOST_AT_ONCE = 8
TRIES = 20


async def code_arm(context: Context, arm: str, jobs: int, measure: Measure, stopped: Stopped) -> list[float | None]:
    """The scores of `jobs` candidates; fewer when it was stopped."""
    assert context.code is not None
    population = context.code.population
    rng = np.random.default_rng(int(content_hash(context.campaign.seed, "control", arm)[:16], 16))
    passed: list[dict[str, str]] = [dict(population.base)]
    seen = {""}
    scores: list[float | None] = []
    while len(scores) < jobs and not stopped():
        parent = passed[int(rng.integers(len(passed)))] if arm == "random" else passed[0]
        patch, files = await asyncio.to_thread(_drawn, population, parent, seen, rng)
        seen.add(patch)
        score = await measure({PATCH: patch})
        scores.append(score)
        if score is not None:
            passed.append(files)
    return scores


def _drawn(
    population: Population, parent: dict[str, str], seen: set[str], rng: np.random.Generator
) -> tuple[str, dict[str, str]]:
    """The reference and the files of a candidate with one to eight more transformations; new, where that can be."""
    patch, files = population.keep(parent), parent
    for _ in range(TRIES):
        sites = [s for path, text in parent.items() if population.allowed(path) for s in sites_of(path, text)]
        if not sites:
            break
        size = min(len(sites), int(rng.integers(1, MOST_AT_ONCE + 1)))
        chosen = sorted(rng.choice(len(sites), size=size, replace=False))
        files, _ = applied(parent, [sites[int(i)] for i in chosen])
        patch = population.keep(files)
        if patch not in seen:
            break
    return patch, files
