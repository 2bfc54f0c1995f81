"""Output transform: the values of a metric made nearly normal before a Gaussian process sees them.

Notation: y values (higher is better), z = (y - median) / scale, t = YJ(z; λ) standardised to mean 0, variance 1.

    YJ(z; λ) = ((z+1)^λ - 1)/λ             z ≥ 0, λ ≠ 0        log(z+1)   λ = 0
             = -((1-z)^(2-λ) - 1)/(2-λ)    z < 0, λ ≠ 2       -log(1-z)   λ = 2

Yeo & Johnson (2000), Biometrika 87.  λ maximises the likelihood of a normal t over a fixed grid, so the choice is
deterministic.  Bad values beyond the lower fence are first drawn in to it: one diverged job does not flatten the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["OutputTransform", "yeo_johnson", "yeo_johnson_inverse"]

Array = npt.NDArray[np.float64]

LAMBDAS = np.linspace(0.0, 4.0, 33)
FENCE = 10.0
"""Bad values farther than this many scales below the median are drawn in to it."""


def yeo_johnson(z: Array, lam: float) -> Array:
    up, down = np.maximum(z, 0.0), np.maximum(-z, 0.0)
    a = np.log1p(up) if abs(lam) < 1e-9 else np.expm1(lam * np.log1p(up)) / lam
    b = np.log1p(down) if abs(lam - 2) < 1e-9 else np.expm1((2 - lam) * np.log1p(down)) / (2 - lam)
    return np.asarray(np.where(z >= 0, a, -b))


def yeo_johnson_inverse(t: Array, lam: float) -> Array:
    """The inverse; a t beyond the range of the transform maps to the largest finite z on its side."""
    up, down = np.maximum(t, 0.0), np.maximum(-t, 0.0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        a = np.expm1(up) if abs(lam) < 1e-9 else np.expm1(np.log1p(np.maximum(lam * up, -1 + 1e-12)) / lam)
        k = 2 - lam
        b = np.expm1(down) if abs(k) < 1e-9 else np.expm1(np.log1p(np.maximum(k * down, -1 + 1e-12)) / k)
    return np.asarray(np.where(t >= 0, a, -b))


@dataclass(frozen=True, slots=True)
class OutputTransform:
    """A monotone map between the units of the metric and those of the surrogate."""

    median: float = 0.0
    scale: float = 1.0
    lam: float = 1.0
    mean: float = 0.0
    sd: float = 1.0
    low: float = -np.inf
    high: float = np.inf

    @classmethod
    def fit(cls, y: Array) -> OutputTransform:
        """Fitted to the values `y` (n,); the identity up to a shift for fewer than three distinct values."""
        if len(y) == 0:
            return cls()
        median = float(np.median(y))
        spread = float(np.median(np.abs(y - median))) * 1.4826
        above = y[y >= median] - median
        scale = max(spread, float(np.sqrt(np.mean(above**2))))
        if len(np.unique(y)) < 3 or scale <= 1e-12 * max(1.0, abs(median)):
            sd = float(np.std(y))
            width = sd if sd > 0 else (abs(median) or 1.0)
            return cls(float(np.mean(y)), width, 1.0, 0.0, 1.0, *_reach(y, width))
        z = np.maximum((y - median) / scale, -FENCE)
        # profile likelihood: -n/2 log var(t) + (λ-1) Σ sign(z) log(1+|z|); few values, little trust in the shape
        jacobian = float(np.sum(np.sign(z) * np.log1p(np.abs(z))))
        best, lam = -np.inf, 1.0
        for candidate in LAMBDAS:
            variance = float(np.var(yeo_johnson(z, candidate)))
            score = -0.5 * len(z) * np.log(max(variance, 1e-300)) + (candidate - 1) * jacobian
            score -= 0.5 * ((candidate - 1.5) / 1.0) ** 2
            if score > best:
                best, lam = score, float(candidate)
        t = yeo_johnson(z, lam)
        return cls(median, scale, lam, float(np.mean(t)), max(float(np.std(t)), 1e-9), *_reach(y, scale))

    def forward(self, y: Array) -> Array:
        """Units of the metric → units of the surrogate."""
        z = np.maximum((np.asarray(y, dtype=float) - self.median) / self.scale, -FENCE)
        return (yeo_johnson(z, self.lam) - self.mean) / self.sd

    def backward(self, t: Array) -> Array:
        """Units of the surrogate → units of the metric, within three ranges of what was seen."""
        z = yeo_johnson_inverse(np.asarray(t, dtype=float) * self.sd + self.mean, self.lam)
        return np.asarray(np.clip(self.median + self.scale * z, self.low, self.high))

    def slope(self, y: Array) -> Array:
        """dt/dy, to carry standard errors over."""
        z = np.maximum((np.asarray(y, dtype=float) - self.median) / self.scale, -FENCE)
        power = np.where(z >= 0, self.lam - 1, 1 - self.lam)
        return np.asarray(np.exp(power * np.log1p(np.abs(z))) / (self.scale * self.sd))


def _reach(y: Array, scale: float) -> tuple[float, float]:
    width = max(float(np.ptp(y)), scale)
    return float(np.min(y)) - 3 * width, float(np.max(y)) + 3 * width
