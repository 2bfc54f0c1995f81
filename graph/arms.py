"""Control arms: the same number of jobs spent without a council, on the same seed.

random   uniform draws
tpe      one plain optimiser: the tree-structured Parzen estimator (Bergstra et al. 2011), a batch of the council's
         size at a time, after the usual random start
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import numpy as np

from core.errors import ConfigError
from core.ids import content_hash
from core.records import Config
from graph.context import Context
from graph.together import together
from search.constraints import Region, violations
from search.rules import Rule, broken, parse_rules, repair
from search.suggest import suggest
from search.trials import Trial

__all__ = ["ARM_START", "Draws", "random_arm", "tpe_arm"]

MOST_DRAWS = 10_000
ARM_START = 10
"""Random trials before the Parzen estimator leads, as its authors and most libraries have it."""

Measure = Callable[[Config], Coroutine[Any, Any, float | None]]
"""A configuration → its score; None when the job failed."""
Stopped = Callable[[], bool]


class Draws:
    """Configurations that a campaign allows, drawn with a generator of the arm's own."""

    def __init__(self, context: Context, arm: str) -> None:
        campaign = context.campaign
        self.space = context.space
        self.rng = np.random.default_rng(int(content_hash(campaign.seed, "control", arm)[:16], 16))
        self.rules: Sequence[Rule] = parse_rules(campaign.rules, context.space)
        self.regions = [Region.model_validate(region) for region in campaign.forbidden]
        self._where = f"campaign {context.campaign_id}"

    def next(self, wanted: Config | None = None) -> Config:
        """`wanted`, else a draw, that keeps the rules and stays out of the regions that a person forbids.

        Raises ConfigError when no draw does.
        """
        for turn in range(MOST_DRAWS):
            config = wanted if wanted is not None and turn == 0 else self.space.sample(self.rng)
            config = repair(config, self.rules, self.space)
            if not broken(config, self.rules) and not violations(config, self.regions):
                return config
        raise ConfigError(
            f"none of {MOST_DRAWS} random configurations keeps the rules",
            where=self._where,
            hint="state the bounds of the parameters more tightly, or run without a control arm",
        )


async def random_arm(context: Context, jobs: int, measure: Measure, stopped: Stopped) -> list[float | None]:
    """The scores of `jobs` uniform draws; fewer when it was stopped."""
    draws = Draws(context, "random")
    drawn = [draws.next() for _ in range(jobs)]
    keys = [context.space.key(config) for config in drawn]
    scores: dict[str, float | None] = {}
    waiting = iter(dict(zip(keys, drawn, strict=True)).items())  # a small space is drawn from with repeats

    async def work() -> None:
        for key, config in waiting:
            if stopped():
                return
            scores[key] = await measure(config)

    await together(work() for _ in range(context.jobs.parallel))
    return [scores[key] for key in keys] if all(key in scores for key in keys) else []


async def tpe_arm(context: Context, jobs: int, measure: Measure, stopped: Stopped) -> list[float | None]:
    """The scores of `jobs` trials of the plain optimiser; fewer when it was stopped."""
    draws, trials = Draws(context, "tpe"), list[Trial]()
    while len(trials) < jobs and not stopped():
        size = min(context.campaign.council.jobs_per_cycle, jobs - len(trials))
        batch = (
            [draws.next() for _ in range(size)] if len(trials) < ARM_START else _suggested(context, draws, trials, size)
        )
        scores = await together(measure(config) for config in batch)
        trials += [Trial(str(len(trials) + i), c, s) for i, (c, s) in enumerate(zip(batch, scores, strict=True))]
    return [trial.value for trial in trials]


def _suggested(context: Context, draws: Draws, trials: list[Trial], size: int) -> list[Config]:
    """The optimiser's next batch; in place of one that the campaign does not allow, a random one that it does."""
    seed = context.campaign.seed
    suggestions = suggest(context.space, trials, size, seed=seed, rng=draws.rng, member="tpe")
    return [draws.next(s.config) for s in suggestions]
