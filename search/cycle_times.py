"""When an improvement cycle is due: every so many hours, counted from a time of day, in UTC."""

from __future__ import annotations

import math

__all__ = ["due_slot", "next_slot"]

HOUR_S = 3600.0
DAY_S = 86_400.0


def due_slot(now: float, interval_hours: float, start_time: str) -> float:
    """The newest moment up to `now` at which a cycle was due (UTC seconds since the epoch).

    Slots lie at `start_time` (HH:MM) plus whole multiples of the interval, in both directions, so that they are the
    same after every restart.
    """
    hours, minutes = map(int, start_time.split(":"))
    first = hours * HOUR_S + minutes * 60.0
    step = interval_hours * HOUR_S
    return first + math.floor((now - first) / step) * step


def next_slot(now: float, interval_hours: float, start_time: str) -> float:
    """The first moment after `now` at which a cycle is due."""
    return due_slot(now, interval_hours, start_time) + interval_hours * HOUR_S
