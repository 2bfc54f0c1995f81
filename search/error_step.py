"""Has the error rate risen?  Counts of a watch against counts of a history, with errors that come in bursts.

Notation: k errors of n requests, p = k/n; ₀ the history.  F ≥ 1, the dispersion: the variance of the errors of a block
of windows over what independent errors would have, the largest over blocks of several lengths, so that bursts and slow
drift both widen it.

    δ̂ = p − p₀        1/V = F p' (1 − p') (1/n + 1/n₀)        p' = (k + k₀ + 1) / (n + n₀ + 2), at least p₀

with the interval of `search.always_valid`.  Few errors are skewed, and the interval must not be fooled by the first of
them: where fewer than 20 are expected, by F, p' is at least p; with fewer than 5 nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from search.degradation import ERROR_FLOOR
from search.step import Step

__all__ = ["ErrorTest"]

Array = npt.NDArray[np.float64]
FEW, MANY = 5.0, 20.0
LEAST_BLOCKS = 8
BLOCKS = (1, 5, 15, 60)
SCALES = (0.15, 3.0)
"""The sizes of relative rises that the interval is narrow for: a service with few requests shows only large ones."""


class ErrorTest:
    """Fitted to a history once, then asked at every look.  What it answers is relative to max(p₀, 0.01)."""

    def __init__(self, errors: Sequence[float], requests: Sequence[float]) -> None:
        """By window; what is not finite is a gap.  Raises ValueError without any request."""
        k, n = _known(errors, requests)
        if n.sum() <= 0:
            raise ValueError("the history has no request")
        self._k, self._n = float(k.sum()), float(n.sum())
        self.rate = self._k / self._n
        self.dispersion = max([1.0, *(_dispersion(k, n, length, self.rate) for length in BLOCKS)])

    def step(self, errors: Sequence[float], requests: Sequence[float], *, level: float) -> Step:
        """The relative rise in all windows since the deployment."""
        k_all, n_all = _known(errors, requests)
        k, n = float(k_all.sum()), float(n_all.sum())
        windows, width = len(n_all), math.sqrt(self.dispersion)
        pooled = (k + self._k + 1) / (n + self._n + 2)
        floor = max(self.rate, ERROR_FLOOR)
        p = max(self.rate, pooled)
        if n * p < MANY * self.dispersion and n > 0:
            p = max(p, k / n)
        if n * p < FEW * self.dispersion:
            return Step.of(0.0, 0.0, 0.0, windows, width, level, SCALES)
        p = min(p, 0.5)
        information = 1 / (self.dispersion * p * (1 - p) * (1 / n + 1 / self._n))
        rise = k / n - self.rate
        scales = [scale * floor for scale in SCALES]
        step = Step.of(rise, rise * information, information, windows, width, level, scales)
        return step.through(lambda value: value / floor)


def _known(errors: Sequence[float], requests: Sequence[float]) -> tuple[Array, Array]:
    k, n = np.asarray(errors, dtype=float), np.asarray(requests, dtype=float)
    known = np.isfinite(k) & np.isfinite(n) & (n > 0)
    return k[known], n[known]


def _dispersion(k: Array, n: Array, length: int, rate: float) -> float:
    blocks = len(k) // length
    if blocks < LEAST_BLOCKS or not 0 < rate < 1:
        return 1.0
    errors = k[-blocks * length :].reshape(blocks, length).sum(axis=1)
    asked = n[-blocks * length :].reshape(blocks, length).sum(axis=1)
    return float(np.mean((errors - asked * rate) ** 2 / (asked * rate * (1 - rate))))
