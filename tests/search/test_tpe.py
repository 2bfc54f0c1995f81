from __future__ import annotations

import numpy as np
import pytest

from search.cube import Cube
from search.space import Choice, Float, Int, Space
from search.tpe import ParzenRatio

SPACE = Space.model_validate(
    {"kind": Choice("a", "b", "c"), "x": Float(0, 1), "n": Int(1, 8, when={"kind": ["b"]}), "y": Float(0, 1)}
)
CUBE = Cube(SPACE)


def ratio(n: int = 60) -> ParzenRatio:
    U = CUBE.sample(n, np.random.default_rng(0))
    kind = np.floor(U[:, 0] * 3).astype(int)
    values = (kind == 1) * 1.0 - np.abs(U[:, 1] - 0.3)
    values[kind == 2] = -np.inf
    return ParzenRatio(CUBE, U, values)


def test_good_places_have_the_higher_ratio() -> None:
    good, poor, crashing = CUBE.rows(
        [
            {"kind": "b", "x": 0.3, "n": 4, "y": 0.5},
            {"kind": "a", "x": 0.9, "y": 0.5},
            {"kind": "c", "x": 0.3, "y": 0.5},
        ]
    )
    values = ratio().log_ratio(np.array([good, poor, crashing]))
    assert values[0] > values[1]
    assert values[0] > values[2]


def test_draws_are_configurations_and_lean_to_the_good() -> None:
    rows = ratio().candidates(400, np.random.default_rng(1))
    configs = [SPACE.decode(row) for row in rows]
    assert np.allclose(CUBE.rows(configs), rows, atol=1e-9)
    assert np.mean([c["kind"] == "b" for c in configs]) > 0.6


def test_densities_integrate_to_one() -> None:
    mixture = ratio().good
    grid = np.full((2001, 4), 0.5)
    grid[:, 1] = np.linspace(0, 1, 2001)
    assert np.trapezoid(np.exp(mixture.log_density(grid)[:, 1]), grid[:, 1]) == pytest.approx(1.0, abs=1e-3)
    options = np.full((3, 4), 0.5)
    options[:, 0] = (np.arange(3) + 0.5) / 3
    assert np.exp(mixture.log_density(options)[:, 0]).sum() == pytest.approx(1.0)


def test_only_crashes_is_no_trouble() -> None:
    U = CUBE.sample(5, np.random.default_rng(0))
    rows = ParzenRatio(CUBE, U, np.full(5, -np.inf)).candidates(8, np.random.default_rng(0))
    assert rows.shape == (8, 4)
