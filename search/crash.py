"""The crash model: how likely a configuration is to fail, learned from finished and crashed trials.

Notation: Z (n, p) kernel features, c ∈ {0, 1}ⁿ crashed, q base rate.  A Gaussian process regresses the label
a = 2c - 1 (least-squares classification, Rasmussen & Williams 2006, §6.5); with its mean μ and standard deviation σ

    P(crash | x) = Φ(μ / √(σ² + σ₀²))

where Φ is the normal distribution function.  Without any crash the answer is the Laplace rate ½/(n+1); while all
trials crashed, it falls with the distance to the crashes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from search.gaussian_process import GaussianProcess, Prior

__all__ = ["CrashModel"]

Array = npt.NDArray[np.float64]
SOFTNESS = 0.35
"""σ₀: label noise beyond the process's own, in label units; a lone observation never gives certainty."""
PRIOR = Prior(
    lengthscale=(float(np.log(0.4)), 0.7), category=(float(np.log(0.8)), 0.7), noise=(float(np.log(0.02)), 1.0)
)


@dataclass(frozen=True, eq=False, slots=True)
class CrashModel:
    """`probability(Z)` of features; `process` is None while nothing has crashed."""

    n: int
    process: GaussianProcess | None

    @classmethod
    def fit(cls, Z: Array, crashed: npt.NDArray[np.bool_], group: npt.NDArray[np.int_]) -> CrashModel:
        if not crashed.any():
            return cls(len(crashed), None)
        labels = np.where(crashed, 1.0, -1.0)
        if crashed.all():  # no contrast to learn from: keep the prior's lengthscales
            labels = np.ones(len(crashed))
            base = GaussianProcess.fit(Z[:1], labels[:1], group, prior=PRIOR)
            return cls(len(crashed), base.condition(Z, labels))
        return cls(len(crashed), GaussianProcess.fit(Z, labels, group, prior=PRIOR, iterations=25))

    def probability(self, Z: Array) -> Array:
        """P(crash) at features `Z` (m, p), shape (m,)."""
        if self.process is None:
            return np.full(len(Z), 0.5 / (self.n + 1))
        mean, sd = self.process.predict(Z)
        return np.asarray(ndtr(mean / np.sqrt(sd**2 + SOFTNESS**2)))
