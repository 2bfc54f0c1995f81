"""The arithmetic of charts, figures and escaping, for any input."""

from __future__ import annotations

import itertools
import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from service.charts import Axis, progress_chart, ticks, whiskers
from service.escape import escaped
from service.figures import around, between, decimals
from service.output import finite as strict
from service.tables import columns, duration

finite = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False)
values = st.lists(st.none() | finite, min_size=1, max_size=40)


@given(finite, st.floats(min_value=1e-6, max_value=1e6))
def test_ticks_are_even_and_inside(low: float, extent: float) -> None:
    axis = Axis(low, low + extent)
    if axis.high <= axis.low:
        return
    at = ticks(axis)
    slack = 1e-6 * extent + 1e-9 * abs(low)
    assert 1 <= len(at) <= 12
    assert all(axis.low - slack <= t <= axis.high + slack for t in at)
    steps = [b - a for a, b in itertools.pairwise(at)]
    assert all(abs(step - steps[0]) <= slack for step in steps)


@given(values, st.lists(st.none() | finite, max_size=40), st.none() | finite, st.floats(0, 10), st.booleans())
def test_a_chart_stays_in_its_box(
    trials: list[float | None], control: list[float | None], baseline: float | None, sd: float, upwards: bool
) -> None:
    pick = max if upwards else min
    best: list[float | None] = []
    for value in trials:
        known = [v for v in (*best[-1:], value) if v is not None]
        best.append(pick(known) if known else None)
    chart = progress_chart(trials, best, {"random": control, "tpe": control[:3]}, baseline, sd, upwards=upwards)
    if chart is None:
        assert baseline is None
        return
    assert len(chart["points"]) + len(chart["failed"]) == len(trials)
    assert all(0 <= p["x"] <= 1000 and 0 <= p["y"] <= 1000 for p in chart["points"])
    assert chart["outside"] == sum(p["edge"] for p in chart["points"])
    assert all(-1e-6 <= t["at"] <= 100 + 1e-6 for t in chart["y_ticks"] + chart["x_ticks"])


@given(st.lists(finite, min_size=2, max_size=9), finite, finite)
def test_whiskers_keep_their_order(differences: list[float], a: float, b: float) -> None:
    low, high = sorted((a, b))
    drawn = whiskers(differences, low, (low + high) / 2, high)
    assert 0 <= drawn["low"] <= drawn["mean"] + 1e-9
    assert drawn["mean"] <= drawn["low"] + drawn["width"] + 1e-9
    assert drawn["low"] + drawn["width"] <= 100 + 1e-9
    assert 0 <= drawn["zero"] <= 100


@given(st.text())
def test_escaped_text_moves_nothing(text: str) -> None:
    shown = escaped(text)
    assert all(c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs") for c in shown)
    assert escaped(shown) == shown


def test_figures_are_as_long_as_their_spread_is_worth() -> None:
    assert around(0.95123, 0.0036) == "0.9512 ± 0.0036"
    assert around(123.4, 17.0) == "123 ± 17"
    assert around(0.5, 0.0) == "0.5 ± 0"
    assert between(0.17712, 0.18341) == "[+0.1771, +0.1834]"
    assert decimals(float("nan")) is None
    assert decimals(float("inf")) is None
    assert [duration(s) for s in (4.24, 192, 7500, 273_600)] == ["4.2 s", "3 min 12 s", "2 h 5 min", "3 d 4 h"]


def test_columns_line_up() -> None:
    lines = columns([("a", 1, None), ("long", 20.5, "text\nmore")], ("name", "n", "what")).splitlines()
    assert lines == ["name     n  what", "a        1  –", "long  20.5  text more"]


@given(
    st.recursive(
        st.floats() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_whatever_is_told_is_strict_json(value: object) -> None:
    json.dumps(strict(value), allow_nan=False)
