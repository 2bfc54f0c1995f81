from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.acquisition import (
    expected_improvement,
    feasible_expected_improvement,
    feasible_log_expected_improvement,
    log_expected_improvement,
    log_probability_of_improvement,
    pareto_front,
    thompson,
    upper_confidence_bound,
)


def test_expected_improvement_is_the_mean_of_improvements() -> None:
    draws = np.random.default_rng(0).standard_normal(400_000)
    for mean, sd, best in ((0.3, 0.5, 0.8), (1.0, 0.2, 0.5), (0.0, 1.0, 0.0)):
        simulated = np.maximum(mean + sd * draws - best, 0).mean()
        assert expected_improvement(np.array([mean]), np.array([sd]), best)[0] == pytest.approx(simulated, rel=0.02)


def test_log_form_agrees_where_both_are_finite() -> None:
    z = np.linspace(-30, 6, 400)
    one = np.ones_like(z)
    direct = expected_improvement(z, one, 0.0)
    ok = z > -6
    assert log_expected_improvement(z, one, 0.0)[ok] == pytest.approx(np.log(direct[ok]), abs=1e-6)


def test_log_form_stays_ordered_far_out() -> None:
    z = -np.logspace(0, 9, 200)[::-1]
    values = log_expected_improvement(z, np.ones_like(z), 0.0)
    assert np.isfinite(values).all()
    assert (np.diff(values) > 0).all()


@given(st.floats(-5, 5), st.floats(0.01, 3), st.floats(-5, 5), st.floats(0.01, 1))
def test_more_mean_or_more_doubt_is_never_worth_less(mean: float, sd: float, best: float, step: float) -> None:
    means, sds = np.array([mean, mean + step, mean]), np.array([sd, sd, sd + step])
    for values in (
        expected_improvement(means, sds, best),
        log_expected_improvement(means, sds, best),
        upper_confidence_bound(means, sds),
    ):
        assert values[1] >= values[0]
        assert values[2] >= values[0] - 1e-12


def test_feasibility_scales_the_improvement() -> None:
    mean, sd, failure = np.array([1.0, 1.0]), np.array([0.5, 0.5]), np.array([0.0, 0.75])
    plain = feasible_expected_improvement(mean, sd, 0.9, failure)
    assert plain[1] == pytest.approx(0.25 * plain[0])
    logs = feasible_log_expected_improvement(mean, sd, 0.9, np.array([0.0, 1.0]))
    assert np.isfinite(logs).all()
    assert logs[1] < logs[0]


def test_probability_of_improvement_and_thompson() -> None:
    assert log_probability_of_improvement(np.array([1.0]), np.array([1.0]), 1.0)[0] == pytest.approx(np.log(0.5))
    assert thompson(np.array([[3.0, 1.0]])).tolist() == [3.0, 1.0]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30))
def test_pareto_front_holds_exactly_the_unbeaten(rows: list[tuple[int, int, int]]) -> None:
    columns = np.array(rows, dtype=float)

    def beaten(i: int) -> bool:
        return any((c >= columns[i]).all() and (c > columns[i]).any() for c in columns)

    assert pareto_front(columns).tolist() == [i for i in range(len(rows)) if not beaten(i)]
