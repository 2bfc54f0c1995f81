"""Any value as plain JSON data."""

from __future__ import annotations

import dataclasses
import json
from enum import Enum
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.plain import MAX_CHARS, MAX_ITEMS, plain
from core.records import Guidance

KEYS = st.one_of(st.text(), st.integers(), st.booleans())
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary()),
    lambda inner: st.one_of(st.lists(inner), st.tuples(inner, inner), st.dictionaries(KEYS, inner), st.sets(st.text())),
)


@given(VALUES)
def test_it_is_json_and_stays_as_it_is(value: Any) -> None:
    told = plain(value)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert plain(told) == told


class Colour(Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: float
    where: Any = None


class Wild:
    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("no")

    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_objects_become_data_or_their_class() -> None:
    assert plain(Point(1.0, Colour.RED)) == {"x": 1.0, "where": "red"}
    assert plain(Guidance(id="g", text="t"))["text"] == "t"
    assert plain([Wild(), b"abc", {1, 2}]) == ["(Wild)", "(3 bytes)", [1, 2]]
    assert plain({Wild}) == ["(type)"]
    assert plain({Wild(): 1, Wild: 2}) == "(dict)"


def test_nothing_is_without_end() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    assert plain(loop) == [1, "(cut)"]
    assert plain("x" * (MAX_CHARS + 5)).endswith("(cut: 5 more characters)")
    assert len(plain(list(range(MAX_ITEMS + 7)))) == MAX_ITEMS + 1
    assert plain(dict.fromkeys(range(MAX_ITEMS + 7)))["(cut)"] == 7
    wide = [[[0] * 100 for _ in range(100)] for _ in range(100)]
    assert len(json.dumps(plain(wide))) < 1_000_000
