"""Trends of series: the plain rule, the robust one, flags, and what is unknown."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.trends import BASELINE_MINUTES, HOUR, trend

MINUTES = BASELINE_MINUTES + HOUR


def calm(seed: int = 0, level: float = 0.1, spread: float = 0.01) -> np.ndarray:
    return np.random.default_rng(seed).normal(level, spread, MINUTES)


def seasonal(seed: int = 0) -> np.ndarray:
    minutes = np.arange(MINUTES)
    wave = 1 + 0.6 * np.sin(2 * np.pi * minutes / 1440)
    return wave * np.random.default_rng(seed).lognormal(0, 0.05, MINUTES)


def test_the_plain_rule_is_two_standard_deviations() -> None:
    minutes = calm()
    mean, sd = minutes[:-HOUR].mean(), minutes[:-HOUR].std(ddof=1)
    minutes[-HOUR:] = mean + 1.99 * sd
    assert trend(minutes, series="latency", measure="latency").plain == "healthy"
    minutes[-HOUR:] = mean + 2.01 * sd
    seen = trend(minutes, series="latency", measure="latency")
    assert (seen.plain, seen.health) == ("degraded", "degraded")
    assert seen.mean == pytest.approx(mean)
    assert seen.sd == pytest.approx(sd)


@pytest.mark.parametrize(
    ("measure", "below", "above"),
    [("latency", 1.19, 1.21), ("throughput", 0.71, 0.69), ("error_rate", 1.04, 1.06)],
)
def test_a_flag_asks_for_its_share_of_change(measure: str, below: float, above: float) -> None:
    minutes = np.full(MINUTES, 0.5) + np.random.default_rng(1).normal(0, 1e-4, MINUTES)
    for factor, flagged in ((below, False), (above, True)):
        minutes[-HOUR:] = 0.5 * factor
        seen = trend(minutes, series="x", measure=measure)  # type: ignore[arg-type]
        assert (seen.flagged, seen.counts, seen.health) == (flagged, flagged, "degraded")


def test_an_error_rate_near_zero_is_compared_with_a_hundredth() -> None:
    minutes = np.full(MINUTES, 1e-4) + np.random.default_rng(1).normal(0, 1e-6, MINUTES)
    minutes[-HOUR:] = 5e-4  # five times as many, and still none to speak of
    assert trend(minutes, series="x", measure="error_rate").change == pytest.approx(0.04, rel=0.01)
    assert not trend(minutes, series="x", measure="error_rate").counts


def test_utilisation_counts_above_eighty_percent_without_a_baseline() -> None:
    minutes = np.full(MINUTES, np.nan)
    minutes[-HOUR:] = 0.81
    seen = trend(minutes, series="cpu", measure="utilisation")
    assert seen.health == "unknown"
    assert seen.counts
    minutes[-HOUR:] = 0.79
    assert not trend(minutes, series="cpu", measure="utilisation").counts


def test_more_throughput_is_no_degradation() -> None:
    minutes = calm()
    minutes[-HOUR:] *= 3
    assert trend(minutes, series="x", measure="throughput").health == "healthy"


def test_a_season_hides_a_fault_from_the_plain_rule_only() -> None:
    minutes = seasonal()
    trough = int(np.argmin(np.abs((np.arange(MINUTES) % 1440) - 1080)))
    minutes = np.roll(minutes, MINUTES - HOUR // 2 - trough)  # the last hour lies in the trough
    assert not trend(minutes, series="x", measure="latency").counts
    minutes[-HOUR:] *= 1.6
    seen = trend(minutes, series="x", measure="latency")
    assert seen.seasonal
    assert (seen.plain, seen.robust, seen.health) == ("healthy", "degraded", "degraded")
    assert seen.counts


def test_a_saturday_is_compared_with_a_saturday() -> None:
    """Half the traffic, as the same day a week ago: nothing is wrong.  A quarter: something is."""
    day = np.arange(MINUTES)[::-1] // 1440  # days before the end
    minutes = seasonal(3) * np.where(day % 7 == 0, 0.5, 1.0)
    assert not trend(minutes, series="x", measure="throughput").counts
    minutes[-HOUR:] *= 0.4
    assert trend(minutes, series="x", measure="throughput").counts


@pytest.mark.parametrize("told", [0, 5, 29])
def test_too_little_told_is_unknown(told: int) -> None:
    minutes = calm()
    minutes[-HOUR:] = np.nan
    if told:
        minutes[-told:] = 10.0  # ever so bad, and still not enough to say so
    seen = trend(minutes, series="x", measure="latency")
    assert (seen.health, seen.plain, seen.robust, seen.counts) == ("unknown", "unknown", "unknown", False)
    assert f"{told} values" in seen.reason


def test_less_than_a_day_of_baseline_is_unknown() -> None:
    minutes = calm()
    minutes[: MINUTES - HOUR - 23 * 60] = np.nan
    assert trend(minutes, series="x", measure="latency").health == "unknown"
    assert trend(calm()[-HOUR - 25 * 60 :], series="x", measure="latency").health == "healthy"


def test_a_series_told_every_five_minutes_is_judged() -> None:
    minutes = calm()
    minutes[np.arange(MINUTES) % 5 != 0] = np.nan
    assert trend(minutes, series="x", measure="latency").health == "healthy"


@settings(max_examples=25, deadline=None)
@given(
    factor=st.floats(1e-6, 1e6),
    seed=st.integers(0, 50),
    worse=st.sampled_from([1.0, 1.5, 4.0]),
)
def test_the_answer_does_not_depend_on_the_unit(factor: float, seed: int, worse: float) -> None:
    minutes = seasonal(seed)
    minutes[-HOUR:] *= worse
    one, other = (trend(values, series="x", measure="latency") for values in (minutes, minutes * factor))
    assert (one.plain, one.robust, one.health, one.flagged) == (other.plain, other.robust, other.health, other.flagged)
    assert one.change == pytest.approx(other.change, rel=1e-6)


def test_a_constant_series_is_healthy_and_its_numbers_are_finite() -> None:
    seen = trend(np.zeros(MINUTES), series="x", measure="error_rate")
    assert seen.health == "healthy"
    assert all(math.isfinite(value) for value in (seen.mean, seen.sd, seen.expected, seen.spread, seen.change))
