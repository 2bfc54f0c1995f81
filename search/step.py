"""Did a series step up at a known time, or does it only drift, as it always has?

Notation, for window t:

    y_t = s(t) + μ + a_t + δ [t ≥ T] + v_t        a_t = φ a_{t−1} + w_t        var v = r, var w = q

s the daily course, μ the level (with a slope, where the history is too short for a daily course), a the slow drift, v
the noise of one window, δ the step at T.  A filter that knows no step (`search.drift`) gives the innovations e_t with
variances Σ_t; the same filter, fed with the step alone, gives the response z_t.  Then

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
from search.daily import course_at, daily_course
from search.drift import Innovations, Noise, State, filtered, fitted_noise, scores, straightened

__all__ = ["Step", "StepTest"]

Array = npt.NDArray[np.float64]
SLOPE, SLOPE_CHANGE = 0.3, 0.1
"""Without a known daily course: how steep it may be, in y an hour, and by how much that changes within an hour."""
LEAST_PLACEBOS = 8
SCALES = (0.15,)
"""The size of steps, in y, that the interval is narrow for."""
LAST_LOW, LAST_HIGH = 0.0002, 0.05
"""That a degradation is proven wrongly matters more than that health is."""
MOST = 20_000
BURN_IN = 60
ROUNDS = 6
NEAR = 0.01
"""Of its standard error, at which the estimate is found."""
FEW = 40.0


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
        cls,
        estimate: float,
        score: float,
        information: float,
        windows: int,
        factor: float,
        level: float,
        scales: Sequence[float],
    ) -> Step:
        """The lower ends come from the score against no step at all, the upper ones from the estimate."""
        if information <= 0:
            return cls(math.nan, -math.inf, math.inf, -math.inf, math.inf, windows, factor)
        error = 1 / math.sqrt(information)
        return cls(
            estimate,
            interval(score, information, level=level, scales=scales)[0],
            interval(estimate * information, information, level=level, scales=scales)[1],
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
        self._course, hours = daily_course(t, y), spacing_s / 3600
        known = bool(self._course.any())
        d = _on_grid(self._places(t), y - course_at(self._course, t))
        self._centre = float(np.nanmedian(d))
        d = d - self._centre
        self._next = len(d)
        noise = fitted_noise(d if known else straightened(d))
        self._noise = noise if known else replace(noise, slope=SLOPE_CHANGE**2 * hours**3)
        drift = noise.q / (1 - noise.phi**2)
        slope = 0.0 if known else (SLOPE * hours) ** 2
        start = State(0.0, 0.0, 0.0, drift, 0.0, 0.0, 100 * (drift + noise.r) + slope * len(d) ** 2, 0.0, slope)
        history = filtered(self._noise, start, d, len(d))
        self._state = history.state
        self.noise_factor = _placebo_factor(self._noise, history.innovations, watched)

    def step(self, times: Sequence[float], values: Sequence[float], *, level: float, share: float = 1.0) -> Step:
        """The step at the first of `times`, which come after the history; all of them, every time.

        `share` of the requests that the history is of: from a tenth of them, a window's noise has ten times the
        variance.
        """
        t, y = np.asarray(times, dtype=float), np.asarray(values, dtype=float)
        places = np.maximum(self._places(t), self._next) - self._next
        series = _on_grid(places, y - course_at(self._course, t) - self._centre)
        begin = int(places[0])
        after = np.arange(len(series)) >= begin
        windows = int(np.isfinite(series[after]).sum())
        score, information = self._score(series, begin, share)
        if windows == 0:
            return Step.of(0.0, score, information, windows, self.noise_factor, level, SCALES)
        estimate = float(np.nanmedian(series[after])) - self._state.a - self._state.m
        for _ in range(ROUNDS):
            left, _ = self._score(series - estimate * after, begin, share)
            estimate += left / information
            if abs(left) < NEAR * math.sqrt(information):
                break
        return Step.of(estimate, score, information, windows, self.noise_factor, level, SCALES)

    def _score(self, series: Array, begin: int, share: float) -> tuple[float, float]:
        seen = filtered(replace(self._noise, r=self._noise.r / share), self._state, series, begin)
        return seen.score / self.noise_factor**2, seen.information / self.noise_factor**2

    def _places(self, t: Array) -> npt.NDArray[np.int64]:
        return np.round((t - self._origin) / self._spacing).astype(np.int64)


def _on_grid(places: npt.NDArray[np.int64], values: Array) -> Array:
    """The values at their places, NaN between them; of two at one place the later."""
    grid = np.full(int(places.max()) + 1, np.nan)
    grid[places] = values
    return grid


def _placebo_factor(noise: Noise, seen: Innovations, watched: int) -> float:
    """By how much wider than 1 the z-scores spread at moments without a deployment; above 1."""
    n = len(seen.e)
    factor = math.sqrt(1 + FEW / max(1, int(np.isfinite(seen.e).sum())))
    for length in sorted({min(5, watched), min(20, watched), watched}):
        begins = np.arange(min(BURN_IN, n // 4), n - length + 1, length)
        if len(begins) < LEAST_PLACEBOS:
            continue
        score, information = scores(noise, seen, begins, length)
        z = score[information > 0] / np.sqrt(information[information > 0])
        if len(z) >= LEAST_PLACEBOS:
            factor = max(factor, float(np.sqrt(np.mean(z**2))))
    return factor
