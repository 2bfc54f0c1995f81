"""What to try next: a lean start, then a portfolio routed by the kind of space and the turn.

    start    the declared defaults if there are any, then a Sobol sequence: d+1 points in all (4 to 10)
    gp       a Gaussian process over the whole space, with Parzen nominations where there are options
    local    every third turn on numeric spaces of five dimensions and more: the same process near the best

A crash model weighs every candidate and vetoes those likelier to crash than to finish.  A batch is filled slot by
slot; jobs in flight and earlier slots are told to the process as its own prediction (kriging believer, Ginsbourger
et al. 2010), and every slot after the first is drawn from the Pareto front of two acquisitions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from search.box import Box
from search.constraints import Forbidden
from search.portfolio import LAST_MARGIN, MARGIN, Acquisition, Portfolio
from search.space import Config, Space
from search.trials import Trial, finished
from search.world_model import WorldModel

__all__ = ["Member", "Suggestion", "recommend", "route", "start_size", "suggest"]

Member = Literal["auto", "gp", "local", "tpe"]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A configuration to try.  `mean` and `sd` in the units of the metric; `member` proposed it, `reason` says why."""

    config: Config
    mean: float
    sd: float
    failure_probability: float
    member: str
    reason: str


def start_size(space: Space) -> int:
    """How many points the start takes before a model leads: one more than the parameters, 4 to 10."""
    return int(np.clip(len(space) + 1, 4, 10))


def route(space: Space, turn: int) -> str:
    """The member whose turn it is once the start is over."""
    return "local" if space.is_numeric and len(space) >= 5 and turn % 3 == 2 else "gp"


def suggest(
    space: Space,
    trials: Sequence[Trial],
    n: int = 1,
    *,
    seed: int = 0,
    rng: np.random.Generator | None = None,
    pending: Sequence[Mapping[str, Any]] = (),
    regions: Sequence[Forbidden] = (),
    box: Box | None = None,
    budget: int | None = None,
    member: Member = "auto",
    acquisition: Acquisition = "expected_improvement",
    margin: float | None = None,
) -> list[Suggestion]:
    """`n` configurations to try next.

    trials       all that is known, crashes too
    pending      configurations of jobs in flight
    regions      learned constraints; no suggestion lies in one unless nothing else is found
    box          what is left of the space: every suggestion lies in it, while all trials teach
    budget       all trials of the campaign, if known; its last tenth polishes the best
    member       one member instead of the routing; the start comes first in any case
    acquisition  what gp and local maximise
    margin       the improvement worth a trial, in standard deviations of the transformed scores: more explores
    rng          defaults to one made of `seed` and the number of trials: the answer is a function of the arguments

    Raises ConfigError for a trial that does not fit the space.
    """
    done = len(trials) + len(pending)
    members = Portfolio(space, trials, pending, regions, seed, rng or np.random.default_rng([seed, done]), box)
    members.acquisition = acquisition
    end = math.inf if budget is None else budget
    out: list[Suggestion] = []
    for turn in range(done, done + n):
        members.spread = turn > done
        members.margin = margin if margin is not None else LAST_MARGIN if turn >= 0.9 * end else MARGIN
        if turn < start_size(space) or not members.ready:
            name, (row, reason) = "start", members.start(turn)
        else:
            name = route(space, turn) if member == "auto" else member
            row, reason = {"gp": members.gp, "local": members.local, "tpe": members.tpe}[name]()
        forecast = members.take(row)
        mean, sd, failure = (float(column[0]) for column in forecast)
        out.append(Suggestion(members.config(row), mean, sd, failure, name, reason))
    return out


def recommend(space: Space, trials: Sequence[Trial], seed: int = 0) -> Trial | None:
    """The finished trial with the highest predicted mean: under noise a better pick than the highest value.

    None without a finished trial.  Equal predictions: the higher value, then the earlier trial.
    """
    done = finished(trials)
    if not done:
        return None
    mean = WorldModel.fit(space, trials, seed).predict([t.config for t in done]).mean
    return max(zip(mean, done, strict=True), key=lambda pair: (pair[0], float(pair[1].value or 0.0)))[1]
