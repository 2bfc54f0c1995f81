from __future__ import annotations

import numpy as np
import pytest

from search.calibration import Forecast, calibrate, failure_calibration, width_factor


def forecasts(n: int, said_sd: float, true_sd: float, seed: int = 0) -> list[Forecast]:
    rng = np.random.default_rng(seed)
    return [Forecast(0.0, said_sd, float(rng.normal(0, true_sd))) for _ in range(n)]


def test_an_honest_model_is_covered_nine_times_of_ten() -> None:
    told = calibrate(forecasts(4000, 1.0, 1.0))
    assert told is not None
    assert told.covered == pytest.approx(0.9, abs=0.015)
    assert told.low < 0.9 < told.high
    assert abs(told.bias) < 0.05
    assert told.error == pytest.approx(1.0, abs=0.05)


def test_without_forecasts_nothing_is_said() -> None:
    assert calibrate([]) is None
    assert failure_calibration([], []) is None
    assert width_factor([]) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(("said", "true"), [(1.0, 3.0), (1.0, 0.6), (2.0, 2.0)])
def test_the_factor_mends_the_width_for_what_comes_next(said: float, true: float) -> None:
    factor = width_factor(forecasts(60, said, true))
    told = calibrate(forecasts(4000, said * factor, true, seed=1))
    assert told is not None
    assert 0.8 <= told.covered <= 0.97


def test_the_factor_looks_at_the_model_s_own_width_whatever_it_was_multiplied_by() -> None:
    raw = forecasts(40, 1.0, 2.0)
    mended = [Forecast(f.mean, 2 * f.sd, f.happened, factor=2.0) for f in raw]
    assert width_factor(mended) == pytest.approx(width_factor(raw))


def test_few_residuals_move_the_factor_little_and_none_without_bound() -> None:
    assert 1.0 <= width_factor([Forecast(0, 1, 3.0)]) < 2.0
    assert width_factor([Forecast(0, 1e-9, 1.0)] * 50) == 5.0
    assert width_factor([Forecast(0, 1.0, 0.0)] * 50) == 0.5


def test_failures_are_judged_against_their_rate() -> None:
    told = failure_calibration([0.9, 0.1, 0.1, 0.1], [True, False, False, False])
    assert told is not None
    ours, rate = told
    assert ours == pytest.approx(0.01)
    assert rate == pytest.approx(0.1875)
