"""Did a series step up at a known time, or does it only drift, as it always has?

Notation, for window t:

    y_t = s(t) + μ + a_t + δ [t ≥ T] + v_t        a_t = φ a_{t−1} + w_t        var v = r, var w = q

s the daily course, μ the level (with a slope, where the history is too short for a daily course), a the slow drift, v
the noise of one window, δ the step at T.  φ, q and r come from the autocovariances of the history: γ_0 = A + r,
γ_k = A φ^k, q = A (1 − φ²).  A Kalman filter that knows no step gives the innovations e_t with variances Σ_t; the same
filter, fed with the step alone, gives the response z_t.  Then

    S = Σ z_t e_t / Σ_t        V = Σ z_t² / Σ_t        S/V estimates δ        (Willsky & Jones 1976; Box & Tiao 1975)

The level is unknown to the filter at first, so what the history cannot tell about μ is in Σ_t.  A gap is a window
without an update.  Innovations are cut off at ±3 √Σ_t, in S and in the filter, so that one odd window is worth no more
than that.  S/V is then too small for a large step, so it is only the evidence against δ = 0; the estimate is the δ for
which S of y_t − δ [t ≥ T] is 0 (Huber 1964), found from the median in a few rounds.

The model is wrong somewhere.  So the same test is made at moments of the history when nothing was deployed; where its
z-scores there spread wider than 1, all variances are multiplied by that spread squared (placebo tests: Abadie 2010),
and at least by 1 + 40/N for a history of N windows: from few of them φ comes out too small (Kendall 1954).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from search.always_valid import interval

__all__ = ["Step", "StepTest"]

Array = npt.NDArray[np.float64]
DAY_S = 86_400.0
HARMONICS = 4
LEAST_DAYS = 2.0
"""Of history, before a daily course is told from drift."""
SLOPE, SLOPE_CHANGE = 0.3, 0.1
"""Without a known daily course: how steep it may be, in y an hour, and by how much that changes within an hour."""
CUT = 3.0
LEAST_PLACEBOS = 8
SCALE = 0.15
"""The size of steps, in y, that the interval is narrowest for."""
LAST_LOW, LAST_HIGH = 0.0002, 0.05
"""That a degradation is proven wrongly matters more than that health is."""
MOST = 20_000
MOST_LAGS = 12
BURN_IN = 60
ROUNDS = 6
NEAR = 0.01
"""Of its standard error, at which the estimate is found."""
FEW = 40.0
GAP = (math.nan, math.nan, 0.0, 0.0, 0.0)
DRIFTS = np.concatenate([np.linspace(0.05, 0.9, 18), 1 - np.geomspace(0.09, 0.003, 14)])


@dataclass(frozen=True, slots=True)
class Step:
    """The step in y, with the interval that holds at every look; `windows` that had a value.

    `last_low` and `last_high` bound it for a single look, such as that at the end: each one-sided, the first missed
    with probability `LAST_LOW`, the second with `LAST_HIGH`.
    """

    estimate: float
    low: float
    high: float
    last_low: float
    last_high: float
    windows: int
    noise_factor: float

    @classmethod
    def of(
        cls, estimate: float, score: float, information: float, windows: int, factor: float, level: float, scale: float
    ) -> Step:
        """The lower ends come from the score against no step at all, the upper ones from the estimate."""
        if information <= 0:
            return cls(math.nan, -math.inf, math.inf, -math.inf, math.inf, windows, factor)
        error = 1 / math.sqrt(information)
        return cls(
            estimate,
            interval(score, information, level=level, scale=scale)[0],
            interval(estimate * information, information, level=level, scale=scale)[1],
            score / information + float(ndtri(LAST_LOW)) * error,
            estimate - float(ndtri(LAST_HIGH)) * error,
            windows,
            factor,
        )

    def through(self, rising: Callable[[float], float]) -> Step:
        """In other units."""
        return replace(
            self,
            estimate=rising(self.estimate),
            low=rising(self.low),
            high=rising(self.high),
            last_low=rising(self.last_low),
            last_high=rising(self.last_high),
        )


@dataclass(frozen=True, slots=True)
class _Noise:
    """φ, q and r, and the variance by which the slope changes from window to window."""

    phi: float
    q: float
    r: float
    slope: float = 0.0


@dataclass(frozen=True, slots=True)
class _State:
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
class _Innovations:
    """By window: e and Σ (NaN in a gap), the gains of drift, level and slope (0 in a gap)."""

    e: Array
    variance: Array
    gain_a: Array
    gain_m: Array
    gain_b: Array


@dataclass(frozen=True, slots=True)
class _Passed:
    innovations: _Innovations
    state: _State
    score: float
    information: float


class StepTest:
    """Fitted to a history once, then asked at every look.  Histories are cut to their last `MOST` windows."""

    def __init__(self, times: Sequence[float], values: Sequence[float], *, spacing_s: float, watched: int) -> None:
        """`times` in seconds, rising; a value that is not finite is a gap.  `watched`: windows of a whole watch.

        Raises ValueError when no value is finite.
        """
        t, y = np.asarray(times, dtype=float)[-MOST:], np.asarray(values, dtype=float)[-MOST:]
        if not np.isfinite(y).any():
            raise ValueError("the history has no value")
        self._spacing, self._origin = spacing_s, float(t[0])
        self._course, hours = _daily_course(t, y), spacing_s / 3600
        known = bool(self._course.any())
        d = _on_grid(self._places(t), y - _course_at(self._course, t))
        self._centre = float(np.nanmedian(d))
        d = d - self._centre
        self._next = len(d)
        noise = _noise(d if known else _straightened(d))
        self._noise = noise if known else replace(noise, slope=SLOPE_CHANGE**2 * hours**3)
        drift = noise.q / (1 - noise.phi**2)
        slope = 0.0 if known else (SLOPE * hours) ** 2
        start = _State(0.0, 0.0, 0.0, drift, 0.0, 0.0, 100 * (drift + noise.r) + slope * len(d) ** 2, 0.0, slope)
        passed = _filter(self._noise, start, d, len(d))
        self._state = passed.state
        self.noise_factor = _placebo_factor(self._noise, passed.innovations, watched)

    def step(self, times: Sequence[float], values: Sequence[float], *, level: float) -> Step:
        """The step at the first of `times`, which come after the history; all of them, every time."""
        t, y = np.asarray(times, dtype=float), np.asarray(values, dtype=float)
        places = np.maximum(self._places(t), self._next) - self._next
        series = _on_grid(places, y - _course_at(self._course, t) - self._centre)
        begin = int(places[0])
        after = np.arange(len(series)) >= begin
        windows = int(np.isfinite(series[after]).sum())
        score, information = self._score(series, begin)
        if windows == 0:
            return Step.of(0.0, score, information, windows, self.noise_factor, level, SCALE)
        estimate = float(np.nanmedian(series[after])) - self._state.a - self._state.m
        for _ in range(ROUNDS):
            left, _ = self._score(series - estimate * after, begin)
            estimate += left / information
            if abs(left) < NEAR * math.sqrt(information):
                break
        return Step.of(estimate, score, information, windows, self.noise_factor, level, SCALE)

    def _score(self, series: Array, begin: int) -> tuple[float, float]:
        passed = _filter(self._noise, self._state, series, begin)
        return passed.score / self.noise_factor**2, passed.information / self.noise_factor**2

    def _places(self, t: Array) -> npt.NDArray[np.int64]:
        return np.round((t - self._origin) / self._spacing).astype(np.int64)


def _on_grid(places: npt.NDArray[np.int64], values: Array) -> Array:
    """The values at their places, NaN between them; of two at one place the later."""
    grid = np.full(int(places.max()) + 1, np.nan)
    grid[places] = values
    return grid


def _daily_course(t: Array, y: Array) -> Array:
    """Coefficients of the harmonics of a day, odd windows held off; all 0 for a history of less than two days."""
    known = np.isfinite(y)
    if t[-1] - t[0] < LEAST_DAYS * DAY_S or known.sum() < 100:
        return np.zeros(2 * HARMONICS)
    X = np.column_stack([np.ones(known.sum()), _harmonics(t[known])])
    values = y[known]
    fitted = np.median(values)
    for _ in range(3):
        residual = values - fitted
        most = CUT * 1.4826 * float(np.median(np.abs(residual - np.median(residual))))
        held = fitted + np.clip(residual, -most, most)
        coefficients = np.linalg.lstsq(X, held, rcond=None)[0]
        fitted = X @ coefficients
    return np.asarray(coefficients[1:], dtype=float)


def _harmonics(t: Array) -> Array:
    angles = 2 * np.pi * np.multiply.outer(t / DAY_S, np.arange(1, HARMONICS + 1))
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)


def _course_at(course: Array, t: Array) -> Array:
    return np.asarray(_harmonics(t) @ course, dtype=float)


def _noise(d: Array) -> _Noise:
    """From the autocovariances, with odd windows cut off at five spreads."""
    known = d[np.isfinite(d)]
    spread = 1.4826 * float(np.median(np.abs(known - np.median(known)))) or float(known.std()) or 1e-9
    x = np.clip(d - np.nanmedian(d), -5 * spread, 5 * spread)
    x = x - np.nanmean(x)
    total = max(float(np.nanmean(x**2)), 1e-12)
    lags = np.arange(1, max(2, min(MOST_LAGS, len(known) // 4)) + 1)
    covariances = np.array([_covariance(x, int(lag)) for lag in lags])
    best = _Noise(0.0, 0.0, total)
    least = float(np.sum(covariances**2))
    for phi in DRIFTS:
        shape = phi**lags
        share = float(np.clip(covariances @ shape / (shape @ shape), 0.0, total))
        error = float(np.sum((covariances - share * shape) ** 2))
        if error < least:
            least = error
            best = _Noise(float(phi), share * (1 - phi**2), max(total - share, 0.02 * total))
    return best


def _covariance(x: Array, lag: int) -> float:
    products = x[lag:] * x[:-lag]
    known = np.isfinite(products)
    return float(products[known].mean()) if known.any() else 0.0


def _straightened(d: Array) -> Array:
    """Without the straight line through it."""
    known = np.isfinite(d)
    if known.sum() < 3:
        return d
    places = np.arange(len(d))
    return np.asarray(d - np.polyval(np.polyfit(places[known], d[known], 1), places), dtype=float)


def _filter(noise: _Noise, state: _State, series: Array, begin: int) -> _Passed:
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
    innovations = _Innovations(*np.array(seen).reshape(-1, 5).T)
    return _Passed(innovations, _State(a, m, b, aa, am, ab, mm, mb, bb), score, information)


def _scores(noise: _Noise, seen: _Innovations, begins: npt.NDArray[np.int64], length: int) -> tuple[Array, Array]:
    """S and V of a step at each of `begins`, after `length` windows, as in `_filter` for a single one."""
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


def _placebo_factor(noise: _Noise, seen: _Innovations, watched: int) -> float:
    """By how much wider than 1 the z-scores spread at moments without a deployment; above 1."""
    n = len(seen.e)
    factor = math.sqrt(1 + FEW / max(1, int(np.isfinite(seen.e).sum())))
    for length in sorted({min(5, watched), min(20, watched), watched}):
        begins = np.arange(min(BURN_IN, n // 4), n - length + 1, length)
        if len(begins) < LEAST_PLACEBOS:
            continue
        score, information = _scores(noise, seen, begins, length)
        z = score[information > 0] / np.sqrt(information[information > 0])
        if len(z) >= LEAST_PLACEBOS:
            factor = max(factor, float(np.sqrt(np.mean(z**2))))
    return factor
