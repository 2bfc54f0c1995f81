from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime

from search.gaussian_process import GaussianProcess, Prior, _objective, _prior, squared_distances
from search.transform import OutputTransform, yeo_johnson, yeo_johnson_inverse

GROUP = np.array([0, 1, 2, 2])


def data(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    Z = np.column_stack([rng.random((n, 2)), np.eye(2)[rng.integers(2, size=n)] * np.sqrt(0.5)])
    y = np.sin(5 * Z[:, 0]) + 0.5 * Z[:, 1] + Z[:, 2]
    return Z, (y - y.mean()) / y.std()


class TestGaussianProcess:
    def test_gradient_is_that_of_the_objective(self) -> None:
        Z, y = data(18)
        D = squared_distances(Z, Z, GROUP, 3)
        centre, width = _prior(Prior(), GROUP, 3)
        rng = np.random.default_rng(1)
        for _ in range(5):
            theta = centre + rng.normal(0, 0.7, len(centre))
            _, gradient = _objective(theta, D, y, np.full(18, 1e-3), centre, width)
            numeric = approx_fprime(theta, lambda t: _objective(t, D, y, np.full(18, 1e-3), centre, width)[0], 1e-6)
            assert gradient == pytest.approx(numeric, rel=1e-3, abs=1e-3)

    def test_two_options_are_at_squared_distance_one(self) -> None:
        Z, _ = data(20)
        assert set(np.round(squared_distances(Z, Z, GROUP, 3)[2], 9).ravel()) == {0.0, 1.0}

    def test_predicts_what_it_has_not_seen(self) -> None:
        Z, y = data(40)
        process = GaussianProcess.fit(Z[:30], y[:30], GROUP)
        mean, sd = process.predict(Z[30:])
        assert np.sqrt(np.mean((mean - y[30:]) ** 2)) < 0.1
        assert (np.abs(mean - y[30:]) < 4 * sd + 1e-3).all()

    def test_an_irrelevant_parameter_gets_a_long_lengthscale(self) -> None:
        rng = np.random.default_rng(3)
        Z = rng.random((50, 2))
        process = GaussianProcess.fit(Z, np.sin(8 * Z[:, 0]), np.arange(2))
        assert process.lengthscales[1] > 5 * process.lengthscales[0]

    def test_condition_pulls_the_mean_to_a_liar_and_shrinks_doubt(self) -> None:
        Z, y = data(20)
        process = GaussianProcess.fit(Z, y, GROUP)
        x = Z[:1] + 0.03
        before, doubt = process.predict(x)
        told = process.condition(np.concatenate([Z, x]), np.append(y, before[0] + 1.0))
        after, less = told.predict(x)
        assert before[0] < after[0] < before[0] + 1.0
        assert less[0] < doubt[0]

    def test_known_noise_is_not_followed(self) -> None:
        Z = np.array([[0.2], [0.5], [0.5], [0.8]])
        y = np.array([0.0, 2.0, 0.0, 0.0])
        group = np.zeros(1, dtype=int)
        exact = GaussianProcess.fit(Z, y, group).predict(np.array([[0.5]]))[0]
        doubted = GaussianProcess.fit(Z, y, group, known=np.array([0.0, 9.0, 0.0, 0.0])).predict(np.array([[0.5]]))[0]
        assert doubted[0] < exact[0] / 2

    def test_draws_have_the_posterior_moments(self) -> None:
        Z, y = data(12)
        process = GaussianProcess.fit(Z, y, GROUP)
        X, _ = data(4, seed=9)
        draws = process.sample(X, np.random.default_rng(0), 4000)
        mean, sd = process.predict(X)
        assert draws.mean(axis=0) == pytest.approx(mean, abs=0.06)
        assert draws.std(axis=0) == pytest.approx(sd, rel=0.08)

    def test_duplicates_do_not_break_it(self) -> None:
        Z = np.repeat(np.array([[0.3, 0.4]]), 12, axis=0)
        mean, sd = GaussianProcess.fit(Z, np.linspace(-1, 1, 12), np.arange(2)).predict(Z[:1])
        assert abs(mean[0]) < 0.3
        assert np.isfinite(sd[0])


class TestTransform:
    @given(st.lists(st.floats(-50, 50), min_size=1), st.floats(0, 4))
    def test_inverse(self, z: list[float], lam: float) -> None:
        x = np.array(z)
        t = yeo_johnson(x, lam)
        ok = np.isfinite(t) & (np.abs(t) < 1e8)
        assert yeo_johnson_inverse(t, lam)[ok] == pytest.approx(x[ok], rel=1e-4, abs=1e-4)

    @given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
    def test_keeps_the_order_and_comes_back(self, values: list[float]) -> None:
        y = np.array(values)
        transform = OutputTransform.fit(y)
        t = transform.forward(np.sort(y))
        assert np.isfinite(t).all()
        assert (np.diff(t) >= -1e-9).all()

    def test_one_diverged_job_does_not_flatten_the_rest(self) -> None:
        y = np.append(np.linspace(0.7, 0.8, 12), -1e9)
        t = OutputTransform.fit(y).forward(y)
        assert np.ptp(t[:12]) > 1.0

    def test_slope_is_the_derivative(self) -> None:
        y = np.random.default_rng(0).gamma(2.0, 3.0, 30)
        transform = OutputTransform.fit(y)
        numeric = (transform.forward(y + 1e-6) - transform.forward(y - 1e-6)) / 2e-6
        assert transform.slope(y) == pytest.approx(numeric, rel=1e-3)
        assert transform.backward(transform.forward(y)) == pytest.approx(y, rel=1e-6)
