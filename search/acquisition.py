"""Acquisition functions: what a candidate is worth, from its predicted mean and standard deviation.

Notation: μ, σ arrays (m,), higher is better; b the best value so far; z = (μ - b)/σ; φ, Φ the normal density and
distribution function; p (m,) the probability of a crash.  All return arrays (m,), higher is better.

    EI      σ (φ(z) + z Φ(z))                                   Jones, Schonlau & Welch (1998), eq. 15
    log EI  log σ + log h(z), stable for z → -∞                 Ament et al. (2023), eq. 9, Appendix A
    PI      Φ(z), as its logarithm                              Kushner (1964)
    UCB     μ + β σ                                             Srinivas et al. (2010), eq. 6
    TS      one draw of the posterior                           Thompson (1933)
    × feasibility: EI · (1 - p)                                 Gardner et al. (2014), eq. 8
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import erfcx, log_ndtr, ndtr

__all__ = [
    "expected_improvement",
    "feasible_expected_improvement",
    "feasible_log_expected_improvement",
    "log_expected_improvement",
    "log_probability_of_improvement",
    "pareto_front",
    "thompson",
    "upper_confidence_bound",
]

Array = npt.NDArray[np.float64]
LOG_ROOT_2PI = 0.5 * float(np.log(2 * np.pi))
C1 = LOG_ROOT_2PI
C2 = 0.5 * float(np.log(np.pi / 2))


def expected_improvement(mean: Array, sd: Array, best: float) -> Array:
    """E max(f - best, 0)."""
    z = (mean - best) / sd
    return np.asarray(sd * (np.exp(-0.5 * z * z - LOG_ROOT_2PI) + z * ndtr(z)))


def log_expected_improvement(mean: Array, sd: Array, best: float) -> Array:
    """log EI, finite and ordered where EI itself underflows."""
    z = np.asarray((mean - best) / sd, dtype=float)
    out = np.empty_like(z)
    near = z > -1.0
    x = z[near]
    out[near] = np.log(np.exp(-0.5 * x * x - LOG_ROOT_2PI) + x * ndtr(x))
    x = z[~near]
    # h(z) = φ(z) (1 - |z| √(π/2) erfcx(|z|/√2)); the bracket loses its digits far out, where it tends to 1/z²
    with np.errstate(divide="ignore", invalid="ignore"):
        bracket = np.where(x > -1e4, np.log1p(-np.exp(C2 + np.log(-x * erfcx(-x / np.sqrt(2.0))))), -2 * np.log(-x))
    out[~near] = -0.5 * x * x - C1 + np.where(np.isfinite(bracket), bracket, -2 * np.log(-x))
    return np.asarray(out + np.log(sd))


def log_probability_of_improvement(mean: Array, sd: Array, best: float) -> Array:
    """log P(f > best)."""
    return np.asarray(log_ndtr((mean - best) / sd))


def upper_confidence_bound(mean: Array, sd: Array, beta: float = 2.0) -> Array:
    """μ + β σ."""
    return np.asarray(mean + beta * sd)


def thompson(draws: Array) -> Array:
    """One posterior draw (1, m) or (m,) of the candidates as their worth."""
    return np.asarray(np.atleast_2d(draws)[0])


def feasible_expected_improvement(mean: Array, sd: Array, best: float, failure: Array) -> Array:
    """EI times the probability that the job finishes."""
    return np.asarray(expected_improvement(mean, sd, best) * (1.0 - failure))


def feasible_log_expected_improvement(mean: Array, sd: Array, best: float, failure: Array) -> Array:
    """log EI plus the log probability that the job finishes."""
    return log_expected_improvement(mean, sd, best) + np.log1p(-np.minimum(failure, 1 - 1e-12))


def pareto_front(columns: Array) -> npt.NDArray[np.int_]:
    """Indices of the rows of `columns` (m, k) that no other row beats in every column, in their order."""
    kept: list[int] = []
    for i in np.lexsort(-columns.T[::-1]):  # best first, so that a later row never beats an earlier one
        if not any(np.all(columns[j] >= columns[i]) and np.any(columns[j] > columns[i]) for j in kept):
            kept.append(int(i))
    return np.sort(np.array(kept, dtype=np.int_))
