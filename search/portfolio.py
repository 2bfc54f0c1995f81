"""The members that propose, and how they agree: one call's worth of state behind `suggest`.

    gp      Gaussian process over the whole space.  Candidates: uniform rows, mutants of the best, and draws of a
            Parzen estimator where there are options (the member that is strong on trees nominates, the process
            chooses); then local refinement.
    local   the same process and measure, inside a box of half-width `BOX` around the best point
    tpe     the Parzen estimator alone, by ranks

gp and local maximise log EI over (best + margin) plus log P(finishes).  The margin, in standard deviations of the
transformed scores, keeps the search from polishing a point that cannot win much: what counts is an improvement worth
having.  What the margin and the other choices are worth was measured: docs/benchmarks.md, "Search".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from search.acquisition import feasible_log_expected_improvement, pareto_front, thompson, upper_confidence_bound
from search.box import Box, BoxedCube
from search.candidates import pool, refine, unseen
from search.constraints import Forbidden, violations
from search.cube import Cube
from search.gaussian_process import GaussianProcess
from search.space import Config, Space
from search.tpe import ParzenRatio
from search.trials import Trial
from search.world_model import Prediction, WorldModel

__all__ = ["Acquisition", "Portfolio"]

Acquisition = Literal["expected_improvement", "upper_confidence_bound", "thompson"]

Array = npt.NDArray[np.float64]
MARGIN = 0.1
"""The improvement worth a trial, in standard deviations of the transformed scores."""
LAST_MARGIN = 0.01
"""The same for the last trials of a budget: nothing is left to explore for."""
VETO = 0.5
"""A candidate whose crash is likelier than this is vetoed."""
VETOED = -1e5
"""The worth of a vetoed candidate, times one plus its crash probability."""
BOX = 0.2
PARENTS = 5
NOMINEES = 100


class Portfolio:
    """The model of what is known, the rows that are taken, and the members."""

    def __init__(
        self,
        space: Space,
        trials: Sequence[Trial],
        pending: Sequence[Mapping[str, Any]],
        regions: Sequence[Forbidden],
        seed: int,
        rng: np.random.Generator,
        box: Box | None = None,
    ) -> None:
        self.space, self.seed, self.rng, self.regions, self.box = space, seed, rng, regions, box
        self.model = WorldModel.fit(space, trials, seed)
        self.cube: Cube = self.model.cube if box is None else BoxedCube(box)
        self.acquisition: Acquisition = "expected_improvement"
        self.margin = MARGIN
        """The improvement that counts, for the next proposal."""
        self.spread = False
        """Whether the next proposal fills a later slot of a batch, where variety counts."""
        self._rows = self.model.trials
        self._scores = np.array([-np.inf if t.crashed else float(t.value or 0.0) for t in trials])
        self._pending = np.zeros((0, self.cube.d))
        self._process = self._with_crashes()
        self._best = -np.inf
        self._parents = np.zeros((0, self.cube.d))
        if self.model.process is not None:
            # the best posterior mean at a trial: under noise the best-looking value is too good to be true
            mean, _ = self.model.process.predict(self.model.process.Z)
            rows = self.model.rows
            if isinstance(self.cube, BoxedCube) and (inside := self.cube.inside(rows)).any():
                mean, rows = mean[inside], rows[inside]  # what lies outside cannot be gone on from, nor beaten there
            self._best = float(mean.max())
            self._parents = rows[np.argsort(-mean, kind="stable")[:PARENTS]]
        for config in pending:
            self.take(space.encode(config))

    @property
    def ready(self) -> bool:
        """Whether there is a finished trial to model."""
        return self._process is not None

    @property
    def tried(self) -> Array:
        return np.concatenate([self._rows, self._pending])

    def take(self, row: Array) -> Prediction:
        """Count the row as in flight: the process is told its own prediction there.  Returns the forecast for it."""
        forecast = self.model.predict_rows(row[None])
        self._pending = np.concatenate([self._pending, row[None]])
        if self._process is not None:
            Z = self.cube.features(row[None])
            believed, _ = self._process.predict(Z)
            self._process = self._process.condition(
                np.concatenate([self._process.Z, Z]), np.concatenate([self._process.y, believed])
            )
        return forecast

    # ------------------------------------------------------------------- members
    def start(self, turn: int) -> tuple[Array, str]:
        """The declared defaults first, then the Sobol sequence of this seed."""
        defaults = self.space.defaults() if turn == 0 and self.space.has_defaults else None
        if (
            defaults is not None
            and (self.box is None or self.box.contains(defaults))
            and self.allowed(self.space.encode(defaults))
        ):
            return self.space.encode(defaults), "the declared defaults"
        for place in self.space.sobol_rows(32, self.seed, skip=turn):
            row = self.space.encode(self.space.decode(place) if self.box is None else self.box.place(place))
            if len(unseen(row[None], self.tried)) and self.allowed(row):
                return row, f"point {turn + 1} of a Sobol sequence: too little is known for a model"
        return self.anything(), "drawn at random: the Sobol sequence has no new point that is allowed"

    def gp(self) -> tuple[Array, str]:
        rows = pool(self.cube, self._parents, self.rng)
        if self.cube.choice.any():
            ratio = ParzenRatio(self.cube, self._rows, self._scores)
            rows = np.concatenate([rows, ratio.candidates(NOMINEES, self.rng)])
        row = self._best_of(rows)
        return (self.anything(), "every candidate has been tried") if row is None else (row, self._reason("anywhere"))

    def local(self) -> tuple[Array, str]:
        centre = self._parents[:1]
        rows = pool(self.cube, centre, self.rng, wide=0, near=400)
        row = self._best_of(rows[np.abs(rows - centre).max(axis=1) <= BOX])
        return self.gp() if row is None else (row, self._reason("near the best trial"))

    def tpe(self) -> tuple[Array, str]:
        ratio = ParzenRatio(self.cube, self._rows, self._scores)
        for _ in range(8):
            row = ratio.propose(24, self.rng)
            if len(unseen(row[None], self.tried)) and self.allowed(row):
                return row, "the largest density among the good trials over that among the rest"
        return self.anything(), "drawn at random: the Parzen estimator repeats itself"

    def anything(self) -> Array:
        """A random row, new and allowed if such a one is found."""
        rows = self.cube.sample(256, self.rng)
        fresh = unseen(rows, self.tried)
        for row in (*fresh, *rows):
            if self.allowed(row):
                return np.asarray(row)
        return np.asarray(rows[0])

    # --------------------------------------------------------------------- parts
    def _with_crashes(self) -> GaussianProcess | None:
        """The process with crashes told as the worst value so far."""
        process = self.model.process
        if process is None or not len(self.model.crashes):
            return process
        Z = np.concatenate([process.Z, self.cube.features(self.model.crashes)])
        return process.condition(Z, np.append(process.y, np.full(len(self.model.crashes), process.y.min())))

    def _best_of(self, rows: Array) -> Array | None:
        """The new, allowed row of the highest worth, after refinement; None if there is none.

        Where a batch is to spread: one at random of those that no other row beats in both worth and UCB.
        """
        assert self._process is not None
        rows = unseen(rows, self.tried)
        if not len(rows):
            return None
        starts = rows[np.argsort(-self._worth(rows), kind="stable")[:8]]
        better, _ = refine(self.cube, self._worth, starts, self.rng)
        rows = unseen(np.concatenate([rows, better]), self.tried)
        if self.regions:
            rows = rows[[self.allowed(row) for row in rows]]
        if not len(rows):
            return None
        worth = self._worth(rows)
        if self.acquisition == "thompson":
            return self._drawn(rows, worth)
        if not self.spread:
            return np.asarray(rows[int(np.argmax(worth))])
        mean, sd = self._process.predict(self.cube.features(rows))
        bound = np.where(worth > VETOED, upper_confidence_bound(mean, sd), worth)
        return np.asarray(rows[int(self.rng.choice(pareto_front(np.column_stack([worth, bound]))))])

    def _drawn(self, rows: Array, worth: Array) -> Array:
        """The best row of one joint posterior draw over those of the highest worth that are not vetoed."""
        assert self._process is not None
        rows = rows[np.argsort(-worth, kind="stable")[: min(300, max(1, int((worth > VETOED).sum())))]]
        draw = thompson(self._process.sample(self.cube.features(rows), self.rng))
        return np.asarray(rows[int(np.argmax(draw))])

    def _worth(self, rows: Array) -> Array:
        """The acquisition with feasibility; vetoed rows below all others, the least likely crash first."""
        assert self._process is not None
        Z = self.cube.features(rows)
        mean, sd = self._process.predict(Z)
        failure = self.model.crash.probability(Z)
        if self.acquisition == "upper_confidence_bound":
            worth = upper_confidence_bound(mean, sd) + np.log1p(-np.minimum(failure, 1 - 1e-12))
        else:
            worth = feasible_log_expected_improvement(mean, sd, self._best + self.margin, failure)
        return np.asarray(np.where(failure > VETO, VETOED * (1.0 + failure), np.maximum(worth, VETOED)))

    def allowed(self, row: Array) -> bool:
        return not self.regions or not violations(self.config(row), self.regions)

    def config(self, row: Array) -> Config:
        """The configuration of a row, inside the box to the last digit."""
        config = self.space.decode(row)
        return config if self.box is None else self.box.settle(config)

    def _reason(self, where: str) -> str:
        if self.acquisition != "expected_improvement":
            return f"the best of {self.acquisition.replace('_', ' ')} {where}"
        if self.spread:
            return f"not beaten {where} in both expected improvement and upper confidence bound"
        return f"the largest expected improvement {where}, over the best and a margin of {self.margin:g} σ"
