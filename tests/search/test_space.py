from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from core.errors import ConfigError
from search.cube import Cube
from search.space import Choice, Float, Int, Space

TREE = Space.model_validate(
    {
        "model": Choice("mlp", "svm", "tree"),
        "lr": Float(1e-5, 1e-1, log=True, when={"model": ["mlp"]}),
        "layers": Int(1, 4, when={"model": ["mlp"]}),
        "dropout": Float(0.0, 0.9, when={"layers": [3, 4]}),
        "C": Float(1e-3, 1e3, log=True, when={"model": "svm"}),
        "depth": Int(1, 64, log=True, when={"model": ["tree"]}),
        "pruned": Choice(True, False, when={"model": ["tree"]}),
        "seed": Int(-3, 3),
    }
)


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """Spaces of one to six parameters; later ones may hang on an earlier choice or int."""
    out: dict[str, object] = {}
    parents: dict[str, Choice | Int] = {}
    for i in range(draw(st.integers(1, 6))):
        when: dict[str, tuple[object, ...]] = {}
        if parents and draw(st.booleans()):
            name = draw(st.sampled_from(sorted(parents)))
            parent = parents[name]
            values = list(parent.options) if isinstance(parent, Choice) else [parent.low, parent.high]
            when = {name: tuple(draw(st.lists(st.sampled_from(values), min_size=1, unique=True)))}
        kind = draw(st.sampled_from(["float", "int", "choice"]))
        log = draw(st.booleans())
        if kind == "float":
            low = draw(st.floats(1e-9, 1e3) if log else st.floats(-1e6, 1e6))
            out[f"p{i}"] = Float(low, low + draw(st.floats(max(abs(low), 1.0) * 1e-3, 1e6)), log=log, when=when)
        elif kind == "int":
            low_i = draw(st.integers(1, 50) if log else st.integers(-50, 50))
            out[f"p{i}"] = parents[f"p{i}"] = Int(low_i, low_i + draw(st.integers(0, 200)), log=log, when=when)
        else:
            options = draw(st.lists(st.sampled_from(["a", "b", 1, 2.5, False, None]), min_size=1, unique=True))
            out[f"p{i}"] = parents[f"p{i}"] = Choice(*options, when=when)
    return Space.model_validate(out)


seeds = st.integers(0, 2**32 - 1)


def close(space: Space, a: dict[str, object], b: dict[str, object]) -> bool:
    return a.keys() == b.keys() and all(
        a[k] == pytest.approx(b[k], rel=1e-9, abs=1e-9) if isinstance(space[k], Float) else a[k] == b[k] for k in a
    )


class TestAlgebra:
    @given(spaces(), seeds)
    @settings(deadline=None)
    def test_decode_undoes_encode(self, space: Space, seed: int) -> None:
        config = space.sample(np.random.default_rng(seed))
        u = space.encode(config)
        assert u.shape == (len(space),)
        assert ((u >= 0) & (u <= 1)).all()
        assert close(space, space.decode(u), config)

    @given(spaces(), seeds)
    @settings(deadline=None)
    def test_every_operator_stays_in_the_space(self, space: Space, seed: int) -> None:
        rng = np.random.default_rng(seed)
        a, b = space.sample(rng), space.sample(rng)
        for config in (
            space.neighbour(a, rng, 0.2),
            space.crossover(a, b, rng),
            space.defaults(),
            *space.sobol(3, seed),
        ):
            assert space.validate_config(config) == config

    @given(spaces(), seeds)
    @settings(deadline=None)
    def test_distance_is_a_metric(self, space: Space, seed: int) -> None:
        rng = np.random.default_rng(seed)
        a, b, c = (space.sample(rng) for _ in range(3))
        assert space.distance(a, a) == 0
        assert space.distance(a, b) == space.distance(b, a) <= 1
        assert space.distance(a, c) <= space.distance(a, b) + space.distance(b, c) + 1e-12

    @given(spaces(), seeds)
    @settings(deadline=None)
    def test_rows_agree_with_single_configs(self, space: Space, seed: int) -> None:
        U = np.random.default_rng(seed).random((16, len(space)))
        cube = Cube(space)
        V = cube.snap(U)
        configs = [space.decode(u) for u in U]
        assert np.allclose(V, cube.rows(configs), atol=1e-9)
        names = list(space)
        assert [{n for n, on in zip(names, row, strict=True) if on} for row in cube.active(V)] == [
            set(c) for c in configs
        ]
        assert np.allclose(cube.snap(V), V)

    @given(spaces(), seeds)
    @settings(deadline=None)
    def test_key_tells_configs_apart_and_parses(self, space: Space, seed: int) -> None:
        rng = np.random.default_rng(seed)
        a, b = space.sample(rng), space.sample(rng)
        assert json.loads(space.key(a)) == a
        assert (space.key(a) == space.key(b)) == (a == b)

    @given(seeds)
    def test_child_takes_every_value_from_a_parent_that_has_it(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        a, b = TREE.sample(rng), TREE.sample(rng)
        child = TREE.crossover(a, b, rng)
        for name, value in child.items():
            donors = [c[name] for c in (a, b) if name in c]
            assert not donors or value in donors

    def test_neighbour_changes_something_and_a_small_scale_stays_near(self) -> None:
        rng = np.random.default_rng(0)
        flat = Space.model_validate({"x": Float(0, 1), "y": Float(1e-4, 1, log=True)})
        config = flat.defaults()
        gaps = [flat.distance(config, flat.neighbour(config, rng, 0.02)) for _ in range(200)]
        assert min(gaps) > 0
        assert float(np.mean(gaps)) < 0.05


class TestChecks:
    @pytest.mark.parametrize(
        ("config", "words"),
        [
            ({"model": "mlp", "lr": 0.5, "layers": 1, "seed": 0}, ["lr", "0.5", "[1e-05, 0.1]"]),
            ({"model": "mlp", "lr": "fast", "layers": 1, "seed": 0}, ["lr", "'fast'"]),
            ({"model": "mlp", "lr": 0.01, "layers": 1.5, "seed": 0}, ["layers", "1.5", "[1, 4]"]),
            ({"model": "mlp", "lr": float("nan"), "layers": 1, "seed": 0}, ["lr", "nan"]),
            ({"model": "forest", "seed": 0}, ["model", "'forest'", "svm"]),
            ({"model": "mlp", "lr": 0.01, "seed": 0}, ["layers", "missing"]),
            ({"model": "svm", "C": 1.0, "seed": True}, ["seed", "True"]),
            ({"model": "svm", "C": 1.0, "seeds": 1}, ["seeds", "did you mean 'seed'"]),
        ],
    )
    def test_bad_config_is_refused_by_name_value_and_range(self, config: dict[str, object], words: list[str]) -> None:
        with pytest.raises(ConfigError) as error:
            TREE.validate_config(config)
        for word in words:
            assert word in str(error.value)

    def test_bounds_are_inclusive_and_ints_become_int(self) -> None:
        config = TREE.validate_config({"model": "mlp", "lr": 1e-1, "layers": 4.0, "dropout": 0, "seed": np.int64(-3)})
        assert config == {"model": "mlp", "lr": 0.1, "layers": 4, "dropout": 0.0, "seed": -3}
        assert type(config["layers"]) is int
        assert type(config["seed"]) is int
        assert type(config["dropout"]) is float

    def test_inactive_parameters_are_left_out(self) -> None:
        full = {"model": "svm", "lr": 0.01, "C": 2.0, "layers": 2, "seed": 1}
        assert TREE.validate_config(full) == {"model": "svm", "C": 2.0, "seed": 1}

    @pytest.mark.parametrize(
        ("spec", "word"),
        [
            ({"x": {"type": "float", "low": 1, "high": 0}}, "below"),
            ({"x": {"type": "float", "low": 0, "high": 1, "log": True}}, "log"),
            ({"x": {"type": "float", "low": 0, "high": 1, "lgo": True}}, "lgo"),
            ({"x": {"type": "float", "low": 0}}, "high"),
            ({"x": {"type": "real", "low": 0, "high": 1}}, "real"),
            ({"x": {"type": "int", "low": 0, "high": 4, "default": 5}}, "default"),
            ({"x": {"type": "choice", "options": []}}, "at least one"),
            ({"x": {"type": "choice", "options": ["a", "a"]}}, "twice"),
            ({"x": Float(0, 1, when={"y": [1]})}, "does not exist"),
            ({"x": Float(0, 1, when={"y": [1]}), "y": Int(0, 3)}, "before"),
            ({"y": Int(0, 3), "x": Float(0, 1, when={"y": [7]})}, "7"),
            ({"y": Float(0, 3), "x": Float(0, 1, when={"y": [1]})}, "float"),
            ({}, "at least one"),
        ],
    )
    def test_bad_space_is_refused(self, spec: dict[str, object], word: str) -> None:
        with pytest.raises(ValidationError) as error:
            Space.model_validate(spec)
        assert word in str(error.value)

    def test_plain_data_and_python_say_the_same(self) -> None:
        plain = {
            "model": {"type": "choice", "options": ["mlp", "svm"], "default": "svm"},
            "lr": {"type": "float", "low": "1e-5", "high": 0.1, "log": True, "when": {"model": ["mlp"]}},
        }
        ours = {
            "model": Choice("mlp", "svm", default="svm"),
            "lr": Float(1e-5, 0.1, log=True, when={"model": ["mlp"]}),
        }
        space = Space.model_validate(plain)
        assert space == Space.model_validate(ours)
        assert Space.model_validate(space.model_dump(mode="json")) == space
        assert space.is_conditional
        assert not space.is_numeric
        assert space.defaults() == {"model": "svm"}

    def test_parameters_and_spaces_are_frozen(self) -> None:
        with pytest.raises(ValidationError):
            TREE["seed"].low = 0  # type: ignore[misc]

    def test_true_and_one_are_different_options(self) -> None:
        space = Space.model_validate({"x": Choice(True, 1, "1")})
        assert [space.decode([u])["x"] for u in (0.1, 0.5, 0.9)] == [True, 1, "1"]
        assert space.distance({"x": True}, {"x": 1}) == 1


class TestDraws:
    def test_sobol_is_a_function_of_the_seed_and_continues(self) -> None:
        assert TREE.sobol(8, 3) == TREE.sobol(8, 3)
        assert TREE.sobol(8, 3) != TREE.sobol(8, 4)
        assert TREE.sobol(8, 3)[5:] == TREE.sobol(3, 3, skip=5)
        assert TREE.sobol(0, 3) == []

    def test_sobol_fills_every_sixteenth(self) -> None:
        space = Space.model_validate({"x": Float(0, 1)})
        assert sorted(int(c["x"] * 16) for c in space.sobol(16, 1)) == list(range(16))

    def test_log_parameters_are_uniform_in_the_logarithm(self) -> None:
        space = Space.model_validate({"x": Float(1e-4, 1, log=True), "n": Int(1, 100, log=True)})
        rng = np.random.default_rng(0)
        drawn = [space.sample(rng) for _ in range(4000)]
        assert np.mean([c["x"] < 1e-2 for c in drawn]) == pytest.approx(0.5, abs=0.03)
        share = (np.log(10.5) - np.log(0.5)) / (np.log(100.5) - np.log(0.5))
        assert np.mean([c["n"] <= 10 for c in drawn]) == pytest.approx(share, abs=0.03)

    def test_nearest_gap(self) -> None:
        space = Space.model_validate({"x": Float(0, 10)})
        assert space.nearest_gap({"x": 5}, [{"x": 1}, {"x": 7}]) == pytest.approx(0.2)
        assert space.nearest_gap({"x": 5}, []) == 1
