"""Rings of minutes against plain arithmetic, and the files they come back from."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.telemetry import MetricPoint
from memory.windows.files import WindowFiles
from memory.windows.rings import GROWTH, MINUTES, Ring
from memory.windows.store import MinuteWindows

BEGIN = 30_000_000
told = st.lists(
    st.tuples(st.integers(0, 30), st.floats(0.001, 2.0)), min_size=1, max_size=60
)  # minute after BEGIN, value


def ring(values: list[tuple[int, float]], at_once: int = 7) -> Ring:
    one = Ring()
    for start in range(0, len(values), at_once):
        part = values[start : start + at_once]
        one.add(np.array([(BEGIN + m) * 60.0 + 5 for m, _ in part]), np.array([v for _, v in part]))
    return one


@settings(max_examples=60, deadline=None)
@given(told)
def test_every_minute_holds_count_sum_and_extremes(values: list[tuple[int, float]]) -> None:
    minutes = ring(values).minutes(BEGIN, BEGIN + 31)
    for minute in range(31):
        here = [value for m, value in values if m == minute]
        assert minutes.count[minute] == len(here)
        assert minutes.total[minute] == pytest.approx(math.fsum(here))
        if here:
            assert (minutes.low[minute], minutes.high[minute]) == pytest.approx((min(here), max(here)), rel=1e-6)
        else:
            assert math.isnan(minutes.mean[minute])


@settings(max_examples=60, deadline=None)
@given(told, st.floats(0.0, 1.0))
def test_a_quantile_is_off_by_at_most_a_bucket(values: list[tuple[int, float]], q: float) -> None:
    seen = ring(values).quantile(q, BEGIN, BEGIN + 31)
    ordered = sorted(value for _, value in values)
    rank = q * len(ordered)
    low = ordered[max(math.floor(rank - 1e-9) - 1, 0)]
    high = ordered[min(math.ceil(rank + 1e-9), len(ordered) - 1)]
    inside = ordered[0] > 0.02 * values[0][1] and ordered[-1] < 100 * values[0][1]
    assert seen is not None
    assert ordered[0] * (1 - 1e-6) <= seen <= ordered[-1] * (1 + 1e-6)
    if inside:
        assert low / GROWTH * (1 - 1e-6) <= seen <= high * GROWTH * (1 + 1e-6)


@settings(max_examples=40, deadline=None)
@given(told, told)
def test_parts_that_are_merged_are_the_whole(one: list[tuple[int, float]], other: list[tuple[int, float]]) -> None:
    whole, merged = ring(one + other), Ring()
    for part in (one, other):
        merged.merge(ring(part).dump())
    expected, seen = whole.minutes(BEGIN, BEGIN + 31), merged.minutes(BEGIN, BEGIN + 31)
    assert list(seen.count) == list(expected.count)
    assert list(seen.total) == pytest.approx(list(expected.total))
    assert list(seen.low) == list(expected.low)
    assert list(seen.high) == list(expected.high)


def test_what_falls_out_is_forgotten_and_what_comes_too_late_is_told() -> None:
    one = Ring()
    one.add(np.array([BEGIN * 60.0]), np.array([1.0]))
    assert one.add(np.array([(BEGIN + MINUTES) * 60.0, BEGIN * 60.0]), np.array([2.0, 3.0])) == 1
    assert one.minutes(BEGIN, BEGIN + 1).count[0] == 0
    assert one.minutes(BEGIN + MINUTES, BEGIN + MINUTES + 1).total[0] == 2.0
    assert one.quantile(1.0, BEGIN, BEGIN + MINUTES + 1) == 2.0


def test_there_is_a_bound_on_series_and_units_become_base_units() -> None:
    windows = MinuteWindows(max_series=2)
    added = windows.add(
        MetricPoint(series="latency", labels={"user": str(n)}, unit="ms", at=60.0 * BEGIN, value=250) for n in range(5)
    )
    assert (added.taken, added.refused) == (2, 3)
    (first, _) = windows.facts.values()
    assert (first.unit, first.measure) == ("s", "latency")
    assert windows.ring(first.key).quantile(0.5, BEGIN, BEGIN + 1) == pytest.approx(0.25)


def test_a_torn_line_is_dropped_and_a_half_done_seal_is_finished(tmp_path: Path) -> None:
    files = WindowFiles(tmp_path)
    files.append({"n": 1})
    files.append({"n": 2})
    files.close()
    journal = tmp_path / "journal-000001.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"n": 3, "x')
    again = WindowFiles(tmp_path)
    assert list(again.batches()) == [{"n": 1}, {"n": 2}]
    assert again.damaged == []
    again.append({"n": 4})
    assert list(again.batches()) == [{"n": 1}, {"n": 2}, {"n": 4}]
    again.seal({"newest": np.int64(5)})
    again.close()
    journal.write_bytes(whole)  # killed after the segment was renamed, before its journal went
    after = WindowFiles(tmp_path)
    assert list(after.batches()) == []
    assert len(list(after.segments())) == 1
    assert after.generation == 2
    after.close()
