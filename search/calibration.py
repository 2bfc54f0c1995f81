"""Did what was predicted happen?  Coverage of prediction intervals, and a factor that mends their width.

Notation: forecast i said mean m_i and standard deviation s_i (as widened by a factor c_i when it was made), then y_i
happened; z_i = |y_i - m_i| · c_i / s_i is the residual in units of the model's own s; q = Φ⁻¹(½ + level/2).

    coverage    the share of i with |y_i - m_i| ≤ q s_i, with Wilson's interval (Wilson 1927)
    factor      c = Q_level(z_1 … z_n, and k draws of an ideal model) / q        conformal (Papadopoulos et al. 2002)

The ideal model's k residuals are the quantiles of |N(0, 1)|: without evidence c = 1, and n = k residuals count half.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

__all__ = ["LEVEL", "Calibration", "Forecast", "calibrate", "failure_calibration", "width_factor"]

LEVEL = 0.9
PRIOR = 8
NARROWEST, WIDEST = 0.5, 5.0
RECENT = 60
"""The residuals that count: the newest."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What was predicted, and what happened.  `factor` is that by which the model's own sd was multiplied."""

    mean: float
    sd: float
    happened: float
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """The share of `n` forecasts inside their `level` interval, its 90 % interval, and the mean error and width."""

    level: float
    n: int
    covered: float
    low: float
    high: float
    bias: float
    """Mean of what happened minus what was predicted."""
    error: float
    """Root mean square of the same."""
    width: float
    """Mean half-width of the interval."""


def calibrate(forecasts: Sequence[Forecast], level: float = LEVEL) -> Calibration | None:
    """None without a forecast."""
    if not forecasts:
        return None
    off = np.array([f.happened - f.mean for f in forecasts])
    half = float(ndtri(0.5 + level / 2)) * np.array([f.sd for f in forecasts])
    inside = int((np.abs(off) <= half).sum())
    low, high = _wilson(inside, len(off))
    return Calibration(
        level=level,
        n=len(off),
        covered=inside / len(off),
        low=low,
        high=high,
        bias=float(off.mean()),
        error=float(np.sqrt((off**2).mean())),
        width=float(half.mean()),
    )


def width_factor(forecasts: Sequence[Forecast], level: float = LEVEL) -> float:
    """By what the model's standard deviations are to be multiplied, so that its `level` interval holds."""
    residuals = [abs(f.happened - f.mean) * f.factor / f.sd for f in forecasts[-RECENT:] if f.sd > 0]
    ideal = ndtri(0.5 + (np.arange(PRIOR) + 0.5) / (2 * PRIOR))
    told = np.concatenate([np.array(residuals, dtype=float), ideal])
    factor = float(np.quantile(told, level)) / float(ndtri(0.5 + level / 2))
    return min(max(factor, NARROWEST), WIDEST)


def failure_calibration(probabilities: Sequence[float], failed: Sequence[bool]) -> tuple[float, float] | None:
    """Brier score of the predicted probabilities of failing, and that of always saying the rate; None for nothing.

    Lower is better; 0 is perfect (Brier 1950).
    """
    if not probabilities:
        return None
    p, y = np.array(probabilities), np.array(failed, dtype=float)
    return float(((p - y) ** 2).mean()), float(y.mean() * (1 - y.mean()))


def _wilson(hits: int, n: int) -> tuple[float, float]:
    z = float(ndtri(0.95))
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)
