"""A series that drifts about a level: its noise from its history, and a filter that foresees each next window.

Notation, for window t of the series y, which may have gaps (NaN):

    y_t = μ_t + a_t + v_t        a_t = φ a_{t−1} + w_t        μ_t = μ_{t−1} + b_{t−1}        var v = r, var w = q

a the slow drift, μ the level, b its slope (0, and known to be so, where `slope` is 0).  φ, q and r come from the
autocovariances of the history: γ_0 = A + r, γ_k = A φ^k, q = A (1 − φ²).  The Kalman filter gives the innovations e_t
with variances Σ_t; fed with a step alone, it gives the response z_t.  An innovation is cut off at ±3 √Σ_t.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Filtered", "Innovations", "Noise", "State", "filtered", "fitted_noise", "scores", "straightened"]

Array = npt.NDArray[np.float64]
CUT = 3.0
MOST_LAGS = 12
GAP = (math.nan, math.nan, 0.0, 0.0, 0.0)
DRIFTS = np.concatenate([np.linspace(0.05, 0.9, 18), 1 - np.geomspace(0.09, 0.003, 14)])
"""The φ that are tried."""


@dataclass(frozen=True, slots=True)
class Noise:
    """φ, q and r, and the variance by which the slope changes from window to window."""

    phi: float
    q: float
    r: float
    slope: float = 0.0


@dataclass(frozen=True, slots=True)
class State:
    """Before a window: means of drift, level and slope, and their covariance."""

    a: float
    m: float
    b: float
    aa: float
    am: float
    ab: float
    mm: float
    mb: float
    bb: float


@dataclass(frozen=True, slots=True)
class Innovations:
    """By window: e and Σ (NaN in a gap), the gains of drift, level and slope (0 in a gap)."""

    e: Array
    variance: Array
    gain_a: Array
    gain_m: Array
    gain_b: Array


@dataclass(frozen=True, slots=True)
class Filtered:
    """`state` is that before the next window; score S and information V are those of the step."""

    innovations: Innovations
    state: State
    score: float
    information: float


def fitted_noise(d: Array) -> Noise:
    """From the autocovariances, with odd windows cut off at five spreads."""
    known = d[np.isfinite(d)]
    spread = 1.4826 * float(np.median(np.abs(known - np.median(known)))) or float(known.std()) or 1e-9
    x = np.clip(d - np.nanmedian(d), -5 * spread, 5 * spread)
    x = x - np.nanmean(x)
    total = max(float(np.nanmean(x**2)), 1e-12)
    lags = np.arange(1, max(2, min(MOST_LAGS, len(known) // 4)) + 1)
    covariances = np.array([_covariance(x, int(lag)) for lag in lags])
    best = Noise(0.0, 0.0, total)
    least = float(np.sum(covariances**2))
    for phi in DRIFTS:
        shape = phi**lags
        share = float(np.clip(covariances @ shape / (shape @ shape), 0.0, total))
        error = float(np.sum((covariances - share * shape) ** 2))
        if error < least:
            least = error
            best = Noise(float(phi), share * (1 - phi**2), max(total - share, 0.02 * total))
    return best


def _covariance(x: Array, lag: int) -> float:
    products = x[lag:] * x[:-lag]
    known = np.isfinite(products)
    return float(products[known].mean()) if known.any() else 0.0


def straightened(d: Array) -> Array:
    """Without the straight line through it."""
    known = np.isfinite(d)
    if known.sum() < 3:
        return d
    places = np.arange(len(d))
    return np.asarray(d - np.polyval(np.polyfit(places[known], d[known], 1), places), dtype=float)


def filtered(noise: Noise, state: State, series: Array, begin: int) -> Filtered:
    """With S and V of a step at `begin`.  In scalars: a window costs two microseconds, and forty with matrices."""
    a, m, b = state.a, state.m, state.b
    aa, am, ab, mm, mb, bb = state.aa, state.am, state.ab, state.mm, state.mb, state.bb
    za = zm = zb = score = information = 0.0
    phi, q, r = noise.phi, noise.q, noise.r
    seen = []
    for i, y in enumerate(series.tolist()):
        if y == y:  # not NaN
            ha, hm, hb = aa + am, am + mm, ab + mb
            s = ha + hm + r
            most = CUT * math.sqrt(s)
            e = min(max(y - a - m, -most), most)
            z = (i >= begin) - za - zm
            score, information = score + z * e / s, information + z * z / s
            ga, gm, gb = ha / s, hm / s, hb / s
            a, m, b = a + ga * e, m + gm * e, b + gb * e
            za, zm, zb = za + ga * z, zm + gm * z, zb + gb * z
            aa, am, ab = aa - ga * ha, am - ga * hm, ab - ga * hb
            mm, mb, bb = mm - gm * hm, mb - gm * hb, bb - gb * hb
            seen.append((e, s, ga, gm, gb))
        else:
            seen.append(GAP)
        a, m, za, zm = a * phi, m + b, za * phi, zm + zb
        aa, am, ab = aa * phi * phi + q, (am + ab) * phi, ab * phi
        mm, mb, bb = mm + 2 * mb + bb, mb + bb, bb + noise.slope
    innovations = Innovations(*np.array(seen).reshape(-1, 5).T)
    return Filtered(innovations, State(a, m, b, aa, am, ab, mm, mb, bb), score, information)


def scores(noise: Noise, seen: Innovations, begins: npt.NDArray[np.int64], length: int) -> tuple[Array, Array]:
    """S and V of a step at each of `begins`, after `length` windows, as `filtered` has them for a single one."""
    score, information = np.zeros(len(begins)), np.zeros(len(begins))
    za, zm, zb = np.zeros(len(begins)), np.zeros(len(begins)), np.zeros(len(begins))
    for offset in range(length):
        i = begins + offset
        e, variance = seen.e[i], seen.variance[i]
        there = np.isfinite(e)
        z = np.where(there, 1 - za - zm, 0.0)
        score += np.where(there, z * e / variance, 0.0)
        information += np.where(there, z * z / variance, 0.0)
        za, zm, zb = (za + seen.gain_a[i] * z) * noise.phi, zm + seen.gain_m[i] * z, zb + seen.gain_b[i] * z
        zm = zm + zb
    return score, information
