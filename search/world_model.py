"""The world model: what a configuration would score, how sure that is, and how likely it is to crash.

A Gaussian process on the transformed scores (`gaussian_process`, `transform`) and a crash model (`crash`).  With no
finished trial the answer is as wide as ignorance is: mean 0, standard deviation 1.  Above `CAP` finished trials the
process sees the best, the newest and an even spread of the rest, so its cost is bounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from search.crash import CrashModel
from search.cube import Cube
from search.gaussian_process import GaussianProcess
from search.space import Space
from search.transform import OutputTransform
from search.trials import Trial

__all__ = ["CAP", "Prediction", "WorldModel"]

Array = npt.NDArray[np.float64]

CAP = 128
"""The most finished trials the process is conditioned on."""
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


class Prediction(NamedTuple):
    """Arrays (m,): mean and standard deviation in the units of the metric, probability of a crash."""

    mean: Array
    sd: Array
    failure_probability: Array


@dataclass(frozen=True, eq=False, slots=True)
class WorldModel:
    """A fitted model; `fit` is the way to one."""

    space: Space
    cube: Cube
    process: GaussianProcess | None
    transform: OutputTransform
    crash: CrashModel
    trials: Array
    """Snapped rows of all trials, (n, d)."""
    rows: Array
    """Those of the finished trials the process has seen."""
    crashes: Array
    """Those of the crashed trials the models have seen."""

    @classmethod
    def fit(
        cls, space: Space, trials: Sequence[Trial], seed: int = 0, *, start: WorldModel | None = None
    ) -> WorldModel:
        """The model of `trials`.  `seed` decides the draw above the cap; `start` is an earlier model to begin from."""
        cube = Cube(space)
        rows = cube.rows(t.config for t in trials)
        crashed = np.array([t.crashed for t in trials], dtype=bool)
        values = np.array([0.0 if t.crashed else float(t.value or 0.0) for t in trials])
        errors = np.array([t.noise or 0.0 for t in trials])
        keep = chosen(values, crashed, np.random.default_rng(seed))
        crash = CrashModel.fit(cube.features(rows[keep]), crashed[keep], cube.group)
        good = keep[~crashed[keep]]
        transform = OutputTransform.fit(values[good])
        process = None
        if len(good):
            process = GaussianProcess.fit(
                cube.features(rows[good]), transform.forward(values[good]), cube.group,
                known=(errors[good] * transform.slope(values[good])) ** 2,
                start=start.process.theta if start is not None and start.process is not None else None,
            )  # fmt: skip
        return cls(space, cube, process, transform, crash, rows, rows[good], rows[keep[crashed[keep]]])

    def predict(self, configs: Sequence[Mapping[str, Any]]) -> Prediction:
        """Predictions for configurations, in the units of the metric."""
        return self.predict_rows(self.cube.rows(configs))

    def predict_rows(self, U: Array) -> Prediction:
        """The same for snapped rows (m, d) of the unit cube.

        The moments of the metric are those of the process pushed back through the transform, by Gauss–Hermite
        quadrature with 15 nodes.
        """
        Z = self.cube.features(U)
        failure = self.crash.probability(Z)
        if self.process is None:
            return Prediction(np.zeros(len(U)), np.ones(len(U)), failure)
        mean, sd = self.process.predict(Z)
        values = self.transform.backward(mean[:, None] + sd[:, None] * NODES)
        centre = values @ WEIGHTS
        return Prediction(centre, np.sqrt(np.maximum((values - centre[:, None]) ** 2 @ WEIGHTS, 0.0)), failure)


def chosen(values: Array, crashed: npt.NDArray[np.bool_], rng: np.random.Generator) -> npt.NDArray[np.int_]:
    """Which trials the model sees, in their order: all up to CAP finished and CAP/2 crashed ones.

    Beyond that: half the best, a quarter the newest, the rest drawn at random.
    """
    good, bad = np.flatnonzero(~crashed), np.flatnonzero(crashed)
    if len(good) > CAP:
        order = good[np.argsort(-values[good], kind="stable")]
        keep = set(order[: CAP // 2].tolist()) | set(good[-CAP // 4 :].tolist())
        rest = np.array([i for i in good if int(i) not in keep])
        keep |= set(rng.choice(rest, CAP - len(keep), replace=False).tolist())
        good = np.array(sorted(keep))
    bad = bad[-(CAP // 2) :]
    return np.sort(np.concatenate([good, bad])).astype(np.int_)
