"""Slots of a schedule: the same after every restart, one interval apart."""

import calendar

from hypothesis import given
from hypothesis import strategies as st

from search.cycle_times import due_slot, next_slot

times = st.floats(0, 4e9)
hours = st.floats(0.01, 1000)
clock = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda t: f"{t[0]:02}:{t[1]:02}")


@given(times, hours, clock)
def test_now_lies_between_two_slots(now: float, interval: float, start: str) -> None:
    due, following = due_slot(now, interval, start), next_slot(now, interval, start)
    assert due <= now + 1e-3
    assert now < following + 1e-3
    assert abs(following - due - interval * 3600) < 1e-3


def test_every_day_at_two() -> None:
    now = calendar.timegm((2026, 11, 30, 12, 0, 0))
    assert due_slot(now, 24, "02:00") == calendar.timegm((2026, 11, 30, 2, 0, 0))
    assert next_slot(now, 24, "02:00") == calendar.timegm((2026, 12, 1, 2, 0, 0))
    assert due_slot(calendar.timegm((2026, 11, 30, 1, 59, 59)), 24, "02:00") == calendar.timegm((2026, 11, 29, 2, 0, 0))
    assert due_slot(calendar.timegm((2026, 11, 30, 2, 0, 0)), 24, "02:00") == calendar.timegm((2026, 11, 30, 2, 0, 0))
