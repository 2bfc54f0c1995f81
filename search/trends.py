"""Is a series worse than it was?  The last hour against the week before it, plainly and robustly.

Notation: x_m the mean of minute m; μ, σ mean and standard deviation of x over the 7 days before the hour; c the mean of
the hour; h_k the mean of the hour that ended k hours before it, k = 1 … 168.

    plain     degraded when c > μ + 2σ (c < μ - 2σ where less is worse)
    robust    s = median of h_k over the same hour of the day; r_k = h_k - s_k (ln h_k - ln s_k where all h > 0);
              w = 1.4826 · median |r_k - median r| · 1.15, the larger of that of all hours and of this hour of the day
              and its neighbours; e the standard error of c by its minutes; degraded when c is more than
              √((4w)² + (3e)²) worse than s, and also than the same hour a week ago: a Saturday is compared with a
              Saturday
    flag      latency +20 %, error rate +5 % (of max(μ, 0.01)), utilisation above 80 %, throughput -30 %

1.15 corrects for medians of seven that are fitted to the same values.  The robust answer is the one that counts where
the baseline is skewed (skewness above 1) or seasonal (hours of the day explain over 30 % of the variance of hours), the
plain one elsewhere.  Both are told.  Too little told is `unknown`: neither healthy nor degraded.

Source of the robust scale: Rousseeuw & Croux (1993); medians by season as in Cleveland et al., STL (1990).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.telemetry import Health, Measure

__all__ = ["BASELINE_MINUTES", "HOUR", "Trend", "trend"]

HOUR = 60
HOURS = 7 * 24
BASELINE_MINUTES = HOURS * HOUR
SIGMAS = 2.0
ROBUST_SIGMAS = 4.0
ERROR_SIGMAS = 3.0
SMALL_SAMPLE = 1.15
SKEWED = 1.0
SEASONAL = 0.3
MIN_BASELINE_HOURS = 24
"""A day: less says nothing about what is usual."""
MIN_SHARE = 0.5
"""Of the minutes one may expect of the last hour."""
RELATIVE_FLAGS: dict[Measure, float] = {"latency": 0.20, "error_rate": 0.05, "throughput": -0.30}
ERROR_RATE_FLOOR = 0.01
UTILISATION_FLAG = 0.80
LESS_IS_WORSE: frozenset[Measure] = frozenset({"throughput", "cache_hit_rate"})

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trend:
    """What a series did.  `health` is the answer that counts; `reason` says why where it is unknown.

    `change` is relative to the baseline: (c - μ) / μ, of an error rate over max(μ, 0.01), and to the expected value of
    the hour where the robust answer counts.
    """

    series: str
    component: str
    measure: Measure
    health: Health
    plain: Health
    robust: Health
    flagged: bool
    skewed: bool = False
    seasonal: bool = False
    current: float = math.nan
    mean: float = math.nan
    sd: float = math.nan
    expected: float = math.nan
    spread: float = math.nan
    change: float = math.nan
    minutes: int = 0
    baseline_minutes: int = 0
    reason: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is worth an opportunity: degraded beyond the noise, and by as much as the flags ask.

        A utilisation above 80 % is one without any comparison.
        """
        return self.flagged and (self.health == "degraded" or self.measure == "utilisation")


def trend(
    minutes: Floats, *, series: str, component: str = "", measure: Measure = "other", interval: int | None = None
) -> Trend:
    """The trend of `minutes`: means by the minute, oldest first, NaN where nothing was told, ending now.

    The last 60 are the hour; up to 10,080 before them are the baseline.  `interval` is the number of minutes between
    values; None: told by the baseline.  Raises ValueError for fewer than 60 minutes.
    """
    if minutes.size < HOUR:
        raise ValueError(f"an hour is needed, not {minutes.size} minutes")
    hour, baseline = minutes[-HOUR:], minutes[-HOUR - BASELINE_MINUTES : -HOUR]
    told, usual = hour[~np.isnan(hour)], baseline[~np.isnan(baseline)]
    step = interval or _interval(baseline)
    needed = max(1, math.ceil(MIN_SHARE * HOUR / step))

    def unknown(reason: str, current: float = math.nan) -> Trend:
        flagged = measure == "utilisation" and current > UTILISATION_FLAG
        return Trend(
            series, component, measure, "unknown", "unknown", "unknown", flagged, current=current,
            minutes=told.size, baseline_minutes=usual.size, reason=reason,
        )  # fmt: skip

    if told.size < needed:
        return unknown(f"{told.size} values in the last hour, {needed} are needed")
    current = float(told.mean())
    hours = _hourly(baseline)
    known = hours[~np.isnan(hours)]
    if known.size < MIN_BASELINE_HOURS:
        return unknown(f"{known.size} hours of baseline, {MIN_BASELINE_HOURS} are needed", current)
    mean, sd = float(usual.mean()), float(usual.std(ddof=1))
    sign = -1.0 if measure in LESS_IS_WORSE else 1.0
    plain: Health = "degraded" if sign * (current - mean) > SIGMAS * sd else "healthy"
    error = float(told.std(ddof=1)) / math.sqrt(told.size) if told.size > 1 else 0.0
    expected, spread, robust = _robust(hours, current, error, sign)
    skewed = _skewness(usual) > SKEWED
    seasonal = _seasonality(hours) > SEASONAL
    counted = robust if skewed or seasonal else plain
    over = expected if skewed or seasonal else mean
    floor = max(over, ERROR_RATE_FLOOR) if measure == "error_rate" else over
    change = (current - over) / abs(floor) if floor else math.copysign(math.inf, current) if current else 0.0
    return Trend(
        series, component, measure, counted, plain, robust, _flagged(measure, change, current), skewed, seasonal,
        current, mean, sd, expected, spread, change, told.size, usual.size,
    )  # fmt: skip


def _flagged(measure: Measure, change: float, current: float) -> bool:
    if measure == "utilisation":
        return current > UTILISATION_FLAG
    limit = RELATIVE_FLAGS.get(measure)
    if limit is None:
        return False
    return change > limit if limit > 0 else change < limit


def _interval(minutes: Floats) -> int:
    """Minutes between values, usually."""
    places = np.flatnonzero(~np.isnan(minutes))
    return max(1, int(np.median(np.diff(places)))) if places.size > 1 else 1


def _hourly(baseline: Floats) -> Floats:
    """h_k for k = 1 … 168, NaN where an hour tells nothing."""
    padded = np.full(BASELINE_MINUTES, np.nan)
    padded[BASELINE_MINUTES - baseline.size :] = baseline
    table = padded.reshape(HOURS, HOUR)[::-1]
    count = (~np.isnan(table)).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        hours: Floats = np.where(count > 0, np.nansum(table, axis=1) / count, np.nan)
    return hours


def _by_hour_of_day(hours: Floats) -> Floats:
    """Rows: days before; columns: k mod 24, where column 0 is the hour of the day of the last hour itself."""
    return np.roll(hours, 1)[: HOURS // 24 * 24].reshape(-1, 24)


def _robust(hours: Floats, current: float, error: float, sign: float) -> tuple[float, float, Health]:
    """What the hour was expected to be, the spread about it, and whether the current value is worse than that."""
    known = hours[~np.isnan(hours)]
    logs = bool(known.min() > 0 and current > 0)
    values = np.log(hours) if logs else hours
    now, error = (math.log(current), error / current) if logs else (current, error)
    last_week = float(values[HOURS - 1])  # h_168 is the same hour of the same weekday
    table = _by_hour_of_day(values)
    days = (~np.isnan(table)).sum(axis=0)
    seasons = days.min() >= 3
    usual = _medians(table, days) if seasons else np.full(24, float(np.median(values[~np.isnan(values)])))
    residuals = table - usual
    spread = max(_spread(residuals), _spread(residuals[:, (23, 0, 1)]))
    expected = float(usual[0])
    margin = max(math.hypot(ROBUST_SIGMAS * spread, ERROR_SIGMAS * error), 1e-9 * abs(expected), 1e-12)
    worse = sign * (now - expected) > margin
    if worse and seasons and not math.isnan(last_week):
        worse = sign * (now - last_week) > margin
        expected = max(expected, last_week) if sign > 0 else min(expected, last_week)
    told = math.exp(expected) if logs else expected
    return told, spread, "degraded" if worse else "healthy"


def _spread(residuals: Floats) -> float:
    """Their standard deviation, by the median of what is told; 0 for nothing."""
    told = residuals[~np.isnan(residuals)]
    return 1.4826 * SMALL_SAMPLE * float(np.median(np.abs(told - np.median(told)))) if told.size else 0.0


def _medians(table: Floats, days: npt.NDArray[np.int64]) -> Floats:
    """The median of each column's `days` values that are not NaN; numpy's own is thirty times slower on this."""
    ordered, columns = np.sort(table, axis=0), np.arange(table.shape[1])
    medians: Floats = (ordered[(days - 1) // 2, columns] + ordered[days // 2, columns]) / 2
    return medians


def _skewness(values: Floats) -> float:
    """Fisher's: the third moment over σ³; 0 where nothing varies."""
    deviations = values - values.mean()
    squares = deviations * deviations  # a power of 3 takes fifty times as long
    sd = math.sqrt(float(squares.mean()))
    return float((squares * deviations).mean()) / sd**3 if sd > 0 else 0.0


def _seasonality(hours: Floats) -> float:
    """The share of the variance of hours that the hour of the day explains, adjusted for 24 fitted means."""
    table = _by_hour_of_day(hours)
    known = ~np.isnan(table)
    n = int(known.sum())
    if n < 72 or known.sum(axis=0).min() < 3:
        return 0.0
    means = np.nansum(table, axis=0) / known.sum(axis=0)
    within = float(np.nansum((table - means) ** 2)) / (n - 24)
    total = float(np.nanvar(table, ddof=1))
    return 1 - within / total if total > 0 else 0.0
