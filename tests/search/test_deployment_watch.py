"""The formula, the intervals, and what the watch answers on simulated services."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.deployment import HealthReading
from core.errors import ConfigError
from core.watch import ServiceReading, WatchLevel, WatchRules, watch_rules
from search.always_valid import interval
from search.degradation import degradation, service_level
from search.deployment_watch import DeploymentWatch
from search.error_step import ErrorTest
from search.step import StepTest

RULES = WatchRules(duration_s=1200)
POSITIVE = st.floats(0.01, 1e6)


def level(p95: float | None, errors: float | None, throughput: float | None) -> WatchLevel:
    return WatchLevel(windows=1, p95_ms=p95, error_rate=errors, throughput=throughput)


def windows(
    seed: int, count: int, *, start: float = 0.0, p95: float = 100.0, errors: float = 0.02, rps: float = 20.0
) -> list[ServiceReading]:
    """Drifting, noisy windows of a minute."""
    rng = np.random.default_rng(seed)
    drift, made = 0.0, []
    for i in range(count):
        drift = 0.9 * drift + 0.01 * rng.standard_normal()
        requests = int(rng.poisson(60 * rps * math.exp(drift)))
        ms = p95 * math.exp(drift + 0.02 * rng.standard_normal())
        made.append(
            ServiceReading(
                at=start + 60.0 * (i + 1), requests=requests, errors=int(rng.binomial(requests, errors)),
                p50_ms=ms / 3, p95_ms=ms, p99_ms=ms * 2,
            )
        )  # fmt: skip
    return made


HISTORY = windows(1, 240)
AFTER = {"start": HISTORY[-1].at}


def end(
    watched: Sequence[ServiceReading | None], history: Sequence[ServiceReading] = HISTORY, **rules: Any
) -> tuple[str, int, str]:
    judge = DeploymentWatch(history, RULES.model_copy(update=rules))
    for n in range(1, len(watched) + 1):
        verdict = judge.judge(watched[:n])
        if verdict.answer != "continue":
            return verdict.answer, n, verdict.reason
    raise AssertionError("it has an end")


# ------------------------------------------------------------------------- the formula


def test_the_formula_takes_the_largest_of_three_relative_changes() -> None:
    found = degradation(level(100, 0.02, 50), level(105, 0.03, 48))
    assert found.latency == pytest.approx(0.05)
    assert found.errors == pytest.approx(0.5)
    assert found.throughput == pytest.approx(0.04)
    assert found.worst == found.errors
    assert degradation(level(100, 0.0, 50), level(100, 0.002, 50)).errors == pytest.approx(0.2)  # over 0.01, not over 0
    assert degradation(level(100, 0.02, 50), level(80, 0.01, 60)).worst == pytest.approx(-0.2)


def test_what_is_not_known_is_not_zero() -> None:
    assert degradation(level(None, None, None), level(1, 1, 1)).worst is None
    assert degradation(level(100, 0.01, 50), level(None, None, None)).worst is None
    assert degradation(level(100, 0.01, 50), level(120, None, None)).worst == pytest.approx(0.2)
    assert degradation(level(0.0, 0.0, 0.0), level(1, 0.0, 0.0)).latency is None
    assert service_level([None, ServiceReading(at=60.0, p95_ms=math.nan)]).windows == 0


@given(POSITIVE, POSITIVE, st.floats(0, 1), st.floats(0, 1), POSITIVE, POSITIVE)
def test_worse_is_above_zero_and_the_scale_does_not_matter(
    p95: float, later: float, e0: float, e1: float, r0: float, r1: float
) -> None:
    found = degradation(level(p95, e0, r0), level(later, e1, r1))
    scaled = degradation(level(7 * p95, e0, 7 * r0), level(7 * later, e1, 7 * r1))
    assert found.latency is not None
    assert found.latency == pytest.approx(scaled.latency)
    assert found.throughput == pytest.approx(scaled.throughput)
    assert (found.latency > 0) == (later / p95 > 1)
    assert found.errors == pytest.approx((e1 - e0) / max(e0, 0.01))


def test_a_level_is_made_of_the_windows_that_were_seen() -> None:
    seen = [
        ServiceReading(at=60, requests=100, errors=1, p95_ms=10),
        None,
        ServiceReading(at=180, requests=300, errors=None, p95_ms=30),
        ServiceReading(at=240, requests=None, p95_ms=20),
    ]
    found = service_level(seen)
    assert (found.windows, found.requests, found.p95_ms) == (3, 400, 20)
    assert found.error_rate == pytest.approx(0.01)  # of the window whose errors are known
    assert found.throughput == pytest.approx(400 / 120)
    assert (found.since, found.until) == (0, 240)


# ----------------------------------------------------------------------- the intervals


@given(st.floats(0.5, 100), st.floats(-3, 3), st.floats(0.9, 0.999))
def test_more_information_never_widens_an_interval(information: float, effect: float, confidence: float) -> None:
    low, high = interval(effect * information, information, level=confidence, scales=(1.0,))
    lower, higher = interval(2 * effect * information, 2 * information, level=confidence, scales=(1.0,))
    assert low < effect < high
    assert higher - lower < high - low
    assert interval(0.0, 0.0, level=confidence, scales=(1.0,)) == (-math.inf, math.inf)


def test_an_interval_that_is_looked_at_all_the_time_keeps_its_level() -> None:
    rng = np.random.default_rng(0)
    paths = rng.standard_normal((600, 300)).cumsum(axis=1)
    missed = 0
    for path in paths:
        ends = [interval(float(s), n + 1.0, level=0.95, scales=(0.3, 2.0)) for n, s in enumerate(path)]
        missed += any(not low <= 0 <= high for low, high in ends)
    assert missed <= 30  # 5 % of 600; a fixed interval, looked at 300 times, misses more than a third


@pytest.mark.parametrize("step", [0.0, 0.1, 0.5])
def test_a_step_is_found_over_drift_and_a_lone_odd_window_is_none(step: float) -> None:
    values = [math.log(reading.p95_ms or 1) for reading in windows(5, 300)]
    times = [60.0 * n for n in range(300)]
    test = StepTest(times[:240], values[:240], spacing_s=60, watched=60)
    found = test.step(times[240:], [value + step for value in values[240:]], level=0.99)
    assert found.low <= step <= found.high
    assert abs(found.estimate - step) < 0.06
    spiked = [value + (1.5 if n == 0 else 0.0) for n, value in enumerate(values[240:])]
    assert test.step(times[240:242], spiked[:2], level=0.99).low < 0
    assert test.step(times[240:], spiked, level=0.99).low < 0


def test_a_step_in_another_unit_is_the_same_step() -> None:
    values = np.array([math.log(reading.p95_ms or 1) for reading in windows(6, 260)])
    times = [60.0 * n for n in range(260)]
    first = StepTest(times[:240], values[:240], spacing_s=60, watched=20).step(times[240:], values[240:], level=0.99)
    moved = StepTest(times[:240], values[:240] + 3, spacing_s=60, watched=20).step(
        times[240:], values[240:] + 3, level=0.99
    )
    assert moved.estimate == pytest.approx(first.estimate)
    assert moved.low == pytest.approx(first.low)


def test_gaps_take_information_away_and_nothing_else() -> None:
    values = np.array([math.log(reading.p95_ms or 1) for reading in windows(7, 300)])
    times = [60.0 * n for n in range(300)]
    test = StepTest(times[:240], values[:240], spacing_s=60, watched=60)
    whole = test.step(times[240:], values[240:] + 0.3, level=0.99)
    holes = np.where(np.arange(60) % 3 == 0, values[240:] + 0.3, np.nan)
    some = test.step(times[240:], holes, level=0.99)
    assert some.windows == 20
    assert some.high - some.low > whole.high - whole.low
    assert some.low <= 0.3 <= some.high
    nothing = test.step(times[240:], np.full(60, np.nan), level=0.99)
    assert (nothing.windows, nothing.low, nothing.high) == (0, -math.inf, math.inf)


def test_errors_that_come_in_bursts_are_believed_less() -> None:
    rng = np.random.default_rng(3)
    requests = np.full(300, 1000.0)
    even = rng.binomial(1000, 0.02, 300).astype(float)
    bursts = np.where(rng.random(300) < 0.05, 300.0, rng.binomial(1000, 0.006, 300))
    watched = np.full(20, 26.0)
    calm = ErrorTest(even, requests).step(watched, requests[:20], level=0.99)
    wild = ErrorTest(bursts, requests).step(watched, requests[:20], level=0.99)
    assert calm.low > 0
    assert wild.low < 0
    first = ErrorTest(np.zeros(300), requests).step([1.0], [20.0], level=0.99)
    assert first.low < 0  # the first error ever proves nothing
    assert ErrorTest(np.zeros(300), requests).step([40.0], [300.0], level=0.998).low > 0  # forty do


# --------------------------------------------------------------------------- the watch


def test_noise_is_kept_and_a_plain_degradation_goes_back() -> None:
    assert end(windows(2, 20, **AFTER))[0] in ("healthy", "cannot tell")
    for change in ({"p95": 130.0}, {"errors": 0.05}, {"rps": 14.0}):
        answer, n, reason = end(windows(2, 20, **AFTER, **change))
        assert (answer, 3 <= n <= 12) == ("degraded", True), reason


def test_a_better_version_is_healthy() -> None:
    assert end(windows(2, 20, **AFTER, p95=60.0, errors=0.01, rps=24.0))[0] == "healthy"


def test_gaps_are_never_healthy() -> None:
    blind: list[ServiceReading | None] = [None] * 20
    assert end(blind)[0] == "unknown"
    mostly = [reading if n % 4 == 0 else None for n, reading in enumerate(windows(2, 20, **AFTER, p95=60.0))]
    assert end(mostly)[0] == "unknown"
    nan = [reading.model_copy(update={"p95_ms": None}) for reading in windows(2, 20, **AFTER, errors=0.01, rps=25.0)]
    answer, _, reason = end(nan)
    assert (answer, "latency" in reason) == ("unknown", True)


def test_a_service_that_nobody_reaches_any_more_goes_back() -> None:
    silent = [ServiceReading(at=HISTORY[-1].at + 60.0 * (n + 1), requests=0, errors=0) for n in range(20)]
    answer, n, reason = end(silent)
    assert (answer, n < 10, "throughput" in reason) == ("degraded", True, True)


def test_without_a_history_nothing_can_be_told_but_a_storm_ends_it_at_once() -> None:
    assert end(windows(2, 20), history=[])[0] == "cannot tell"
    assert end(windows(2, 20, errors=0.6), history=[])[:2] == ("degraded", 1)
    few = [ServiceReading(at=60.0 * n, requests=10, errors=10) for n in range(20)]
    assert end(few, history=[])[0] == "cannot tell"  # ten requests are no storm


def test_health_checks_that_fail_in_a_row_end_it_at_once() -> None:
    judge = DeploymentWatch(HISTORY, RULES)
    bad, good, unknown = (
        HealthReading.model_validate({"answer": answer}) for answer in ("unhealthy", "healthy", "unknown")
    )
    seen = windows(2, 3, **AFTER)
    assert judge.judge(seen, [bad, bad, bad]).at_once
    for mixed in ([bad, bad], [bad, good, bad], [bad, unknown, bad], [bad, bad, bad, good]):
        assert judge.judge(seen, mixed).answer == "continue"


def test_a_canary_is_judged_by_its_share_of_the_requests() -> None:
    def canary(seed: int, p95: float) -> list[ServiceReading]:
        rng = np.random.default_rng(seed)
        noise = np.exp(0.02 * math.sqrt(10) * rng.standard_normal(20))  # a tenth of the requests
        whole = windows(seed, 20, **AFTER, p95=p95, rps=2.0)
        return [
            reading.model_copy(update={"p95_ms": (reading.p95_ms or 0) * factor})
            for reading, factor in zip(whole, noise.tolist(), strict=True)
        ]

    judge = DeploymentWatch(HISTORY, RULES, share=0.1)
    verdicts = [judge.judge(canary(seed, 100.0)) for seed in range(20)]
    assert [verdict.answer for verdict in verdicts].count("degraded") == 0
    assert verdicts[0].degradation.throughput == pytest.approx(0.0, abs=0.15)
    assert judge.judge(canary(1, 160.0)).answer == "degraded"


def test_the_verdict_says_what_it_rests_on() -> None:
    verdict = DeploymentWatch(HISTORY, RULES).judge([*windows(2, 19, **AFTER, p95=130.0), None], now=5.0)
    assert (verdict.windows, verdict.unknown, verdict.at) == (20, 1, 5.0)
    assert verdict.degradation.latency == pytest.approx(0.3, abs=0.1)
    assert {shift.measure for shift in verdict.shifts} == {"latency", "errors", "throughput"}
    assert verdict.baseline is not None
    assert verdict.baseline.p95_ms == pytest.approx(100, rel=0.1)
    assert type(verdict).model_validate_json(verdict.model_dump_json()) == verdict


def test_the_rules_are_the_contracts() -> None:
    rules = watch_rules({})
    assert (rules.duration_s, rules.interval_s, rules.threshold, rules.windows) == (3600, 60, 0.10, 60)
    told = watch_rules({"MONITORING_DURATION_SECONDS": "1800", "ROLLBACK_DEGRADATION_THRESHOLD": "0.15"})
    assert (told.duration_s, told.threshold) == (1800, 0.15)
    assert watch_rules({"MONITORING_DURATION_SECONDS": "1800"}, duration_s=5).duration_s == 5
    with pytest.raises(ConfigError):
        watch_rules({"ROLLBACK_DEGRADATION_THRESHOLD": "nan"})


def test_few_false_rollbacks_and_no_missed_degradation() -> None:
    """A small part of benchmarks/deployment_watch.py, which has the figures."""
    kept = [end(windows(100 + seed, 20, **AFTER), windows(seed, 240))[0] for seed in range(25)]
    assert kept.count("degraded") == 0
    for change in ({"p95": 120.0}, {"rps": 16.0}, {"errors": 0.028}):
        answers = [end(windows(100 + seed, 20, **AFTER, **change), windows(seed, 240))[0] for seed in range(8)]
        assert answers.count("degraded") == 8, (change, answers)
