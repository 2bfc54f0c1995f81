from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.errors import ConfigError
from search.cube import Cube
from search.space import Space, Subset
from search.suggest import suggest
from search.trials import Trial

SPACE = Space.model_validate(
    {
        "marks": {"type": "subset", "options": ["flip", "rotate", "crop"]},
        "rate": {"type": "float", "low": 0, "high": 1},
    }
)


@given(st.floats(0, 1), st.floats(0, 1))
def test_encoding_and_decoding_are_inverse(u: float, v: float) -> None:
    config = SPACE.decode([u, v])
    again = SPACE.decode(SPACE.encode(config))
    assert again["marks"] == config["marks"]
    assert json.loads(json.dumps(config)) == config


def test_every_list_is_reached_in_the_order_of_the_items() -> None:
    reached = {tuple(SPACE.decode([u, 0.5])["marks"]) for u in np.linspace(0, 1, 200)}
    assert len(reached) == 8
    assert SPACE.validate_config({"marks": ["crop", "flip"], "rate": 0.5})["marks"] == ["flip", "crop"]


@pytest.mark.parametrize("value", ["flip", ["flip", "flip"], ["blur"], None, [["flip"]], {"flip": 1}])
def test_what_is_no_such_list_is_refused_with_what_is_allowed(value: object) -> None:
    with pytest.raises(ConfigError, match=r"a list of 0 to 3 of \['flip', 'rotate', 'crop'\]"):
        SPACE.validate_config({"marks": value, "rate": 0.5})


def test_sizes_bound_the_lists() -> None:
    marks = Subset(items=["a", "b", "c"], min_size=1, max_size=2)
    assert len(marks.options) == 6
    assert marks.index([]) == -1
    assert marks.index(["a", "b", "c"]) == -1
    with pytest.raises(ValidationError):
        Subset(items=["a", "a"])
    with pytest.raises(ValidationError):
        Subset(items=list("abcdefghijkl"))


def test_lists_that_share_items_are_nearer() -> None:
    cube = Cube(SPACE)
    rows = cube.rows([{"marks": m, "rate": 0.5} for m in (["flip"], ["flip", "crop"], ["rotate", "crop"])])
    a, b, c = cube.features(rows)
    assert np.sum((a - b) ** 2) < np.sum((a - c) ** 2)
    assert len(cube.group) == 4


def test_the_search_finds_the_list_that_helps() -> None:
    def score(config: dict[str, object]) -> float:
        marks = config["marks"]
        assert isinstance(marks, list)
        return len({"flip", "crop"} & set(marks)) - len({"rotate"} & set(marks)) - abs(float(config["rate"]) - 0.3)  # type: ignore[arg-type]

    trials: list[Trial] = []
    for i in range(25):
        (s,) = suggest(SPACE, trials, seed=3)
        trials.append(Trial(str(i), s.config, score(s.config)))
    assert max(t.value or -9 for t in trials) > 1.9
