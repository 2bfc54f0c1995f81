from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.stagnation import best_so_far, detect_stagnation, performance_trend, recent_gain, slope


def test_a_flat_end_is_stagnation_and_a_late_gain_is_not() -> None:
    assert detect_stagnation([0.5, 0.7, 0.7, 0.69, 0.7, 0.705, 0.701])
    assert not detect_stagnation([0.5, 0.7, 0.7, 0.69, 0.7, 0.705, 0.72])


def test_too_little_history_is_not_stagnation() -> None:
    assert not detect_stagnation([0.5] * 5)
    assert detect_stagnation([0.5] * 6)


def test_crashes_count_as_entries_without_gain() -> None:
    assert detect_stagnation([0.5, None, None, None, None, None])
    assert not detect_stagnation([None] * 20)
    assert best_so_far([None, 1.0, None, 0.5, 2.0]) == [None, 1.0, 1.0, 1.0, 2.0]


def test_gain_trend_slope() -> None:
    values = [0.1, None, 0.2, 0.3, 0.25, 0.5]
    assert recent_gain(values, 3) == pytest.approx(0.3)
    assert performance_trend(values, 3) == [0.3, 0.25, 0.5]
    assert slope([1.0, 3.0, 5.0]) == pytest.approx(2.0)
    assert slope([1.0]) == 0.0


@given(st.lists(st.none() | st.floats(-1e6, 1e6), max_size=30), st.integers(1, 8), st.floats(-1e3, 1e3))
def test_shift_changes_nothing(values: list[float | None], window: int, shift: float) -> None:
    moved = [None if v is None else v + shift for v in values]
    assert recent_gain(moved, window) == pytest.approx(recent_gain(values, window), abs=1e-6)
    assert recent_gain(values, window) >= 0


def test_bad_window_is_refused() -> None:
    with pytest.raises(ValueError, match="window"):
        detect_stagnation([1.0], window=0)
