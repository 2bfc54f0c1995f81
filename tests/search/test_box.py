"""A box in a space: whatever is placed, confined or settled lies inside, evenly, and what was inside stays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.box import Box, BoxedCube
from search.recombine import recombine
from search.space import Choice, Float, Int, Space
from search.suggest import suggest
from search.trials import Trial

SPACE = Space.model_validate(
    {
        "lr": Float(1e-5, 0.5, log=True),
        "layers": Int(1, 6),
        "width": Int(4, 256, log=True),
        "optimizer": Choice("adam", "sgd", "rmsprop"),
        "momentum": Float(0.0, 0.99, when={"optimizer": ["sgd"]}),
        "dropout": Float(0.0, 0.6),
    }
)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    bounds: dict[str, tuple[float | None, float | None]] = {}
    for name in draw(st.sets(st.sampled_from(["lr", "layers", "width", "momentum", "dropout"]), max_size=3)):
        parameter = SPACE[name]
        assert isinstance(parameter, Float | Int)
        ends = sorted(parameter.from_unit(draw(st.floats(0, 1))) for _ in range(2))
        low, high = draw(st.sampled_from([(ends[0], ends[1]), (None, ends[1]), (ends[0], None)]))
        bounds[name] = low, high
    out = draw(st.sets(st.sampled_from(["adam", "sgd", "rmsprop"]), max_size=2))
    return Box(SPACE, bounds, {"optimizer": tuple(sorted(out))} if out else {})


units = st.lists(st.floats(0, 1), min_size=len(SPACE), max_size=len(SPACE))


@given(boxes(), units)
@settings(max_examples=100, deadline=None)
def test_everything_ends_inside(box: Box, u: list[float]) -> None:
    assert not box.empty
    for config in (box.place(u), box.settle(SPACE.decode(u))):
        assert box.contains(config), config
        assert SPACE.validate_config(config) == config
        assert box.settle(config) == config
    cube = BoxedCube(box)
    row = cube.snap(np.array([u]))
    assert box.contains(box.settle(SPACE.decode(row[0])))
    assert cube.inside(row).all()
    again = cube.snap(row)
    assert np.allclose(again, row)


@given(units)
@settings(max_examples=40, deadline=None)
def test_a_box_around_everything_changes_nothing(u: list[float]) -> None:
    config = SPACE.decode(u)
    whole = Box(SPACE, {"lr": (None, 1.0), "layers": (0, 9)})
    assert whole.contains(config)
    assert whole.settle(config) == config


def test_a_box_is_covered_evenly() -> None:
    box = Box(SPACE, {"lr": (None, 1e-3), "layers": (2, 4)}, {"optimizer": ("sgd",)})
    told = [box.place(u) for u in np.random.default_rng(0).random((3000, len(SPACE)))]
    assert [sum(c["layers"] == v for c in told) / 3000 for v in (2, 3, 4)] == pytest.approx([1 / 3] * 3, abs=0.04)
    assert sum(c["optimizer"] == "adam" for c in told) / 3000 == pytest.approx(0.5, abs=0.04)
    middle = sum(math.log10(c["lr"]) < -4 for c in told) / 3000
    assert middle == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize(
    "box",
    [
        Box(SPACE, {"lr": (0.1, 0.01)}),
        Box(SPACE, {"layers": (7, None)}),
        Box(SPACE, {}, {"optimizer": ("adam", "sgd", "rmsprop")}),
        Box(SPACE, {"layers": (2, 3)}, {"layers": (2, 3)}),
    ],
)
def test_a_box_with_nothing_in_it_says_of_which_parameter(box: Box) -> None:
    assert box.empty in box.names


def trials(n: int) -> list[Trial]:
    told: list[Trial] = []
    for i, config in enumerate(SPACE.sobol(n, seed=3)):
        value = -abs(math.log10(config["lr"]) + 1) - 0.1 * config["layers"]
        told.append(Trial(f"p-{i}", config, value))
    return told


BOX = Box(SPACE, {"lr": (None, math.nextafter(0.01, 0)), "dropout": (0.2, 0.2)}, {"optimizer": ("sgd",)})


@pytest.mark.parametrize("n", [0, 3, 20])
@pytest.mark.parametrize("member", ["auto", "tpe"])
def test_suggestions_lie_in_the_box_though_the_best_lies_outside(n: int, member: Any) -> None:
    suggestions = suggest(SPACE, trials(n), 3, seed=1, box=BOX, member=member)
    assert all(BOX.contains(s.config) for s in suggestions)
    assert len({SPACE.key(s.config) for s in suggestions}) == 3


def test_children_lie_in_the_box() -> None:
    children = recombine(SPACE, trials(20), 4, np.random.default_rng(0), box=BOX)
    assert children
    assert all(BOX.contains(child.config) for child in children)


def test_one_free_parameter_is_searched_alone() -> None:
    start: dict[str, Any] = {"lr": 0.01, "layers": 2, "width": 16, "optimizer": "adam", "dropout": 0.1}
    fixed = {name: (start[name], start[name]) for name in ("layers", "width", "dropout")}
    box = Box(SPACE, fixed, {"optimizer": ("sgd", "rmsprop")})
    for suggestion in suggest(SPACE, trials(12), 3, seed=2, box=box):
        assert {**suggestion.config, "lr": 0.01} == start
