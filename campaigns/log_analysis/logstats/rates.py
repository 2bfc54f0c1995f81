"""How much in which time, and how the values are spread."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta


def per_window(moments: Sequence[datetime], seconds: float) -> list[tuple[datetime, int]]:
    """How many moments fall into each window of so many seconds, from the first moment on, empty windows too."""
    windows: list[tuple[datetime, int]] = []
    if not moments:
        return windows
    start = min(moments)
    while start <= max(moments):
        end = start + timedelta(seconds=seconds)
        windows.append((start, sum([1 for moment in moments if start <= moment < end])))
        start = end
    return windows


def busiest(moments: Iterable[datetime], seconds: float) -> tuple[datetime, int] | None:
    """The moment with most moments, itself included, in the `seconds` before it, and how many; the first of equals."""
    window: list[datetime] = []
    best: tuple[datetime, int] | None = None
    for moment in sorted(moments):
        window.append(moment)
        while (moment - window[0]).total_seconds() > seconds:
            window.pop(0)
        if best is None or len(window) > best[1]:
            best = (moment, len(window))
    return best


def surges(counts: Sequence[int], factor: float, memory: int = 6) -> list[int]:
    """Where the counts jump up.

    A count does if it is more than `factor` times the mean of the three lowest among the `memory` counts before it, and
    also higher than the mean of the last two.  The first `memory` counts, at least one, are only looked back at.
    """
    recent: list[int] = []
    found: list[int] = []
    for i, count in enumerate(counts):
        if len(recent) == memory:
            calm = sorted(recent)[:3]
            last = recent[-2:]
            if count > factor * sum(calm) / len(calm) and count > sum(last) / len(last):
                found.append(i)
            recent.pop(0)
        recent.append(count)
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` per cent lie, by linear interpolation; NaN for no values."""
    return value_at(sorted(values), share)


def value_at(ordered: Sequence[float], share: float) -> float:
    """The percentile of values that are in order already."""
    if not ordered:
        return math.nan
    place = (len(ordered) - 1) * share / 100
    below = math.floor(place)
    above = math.ceil(place)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def curve(values: Sequence[float], shares: Iterable[float]) -> list[tuple[float, float]]:
    """Each share with its percentile."""
    points = []
    for share in shares:
        points.append((share, value_at(sorted(values), share)))
    return points


def running_median(values: Iterable[float]) -> list[float]:
    """After each value the median of all so far; the mean of the middle two if their number is even."""
    so_far: list[float] = []
    medians = []
    for value in values:
        so_far.append(value)
        so_far.sort()
        middle = len(so_far) // 2
        if len(so_far) % 2:
            medians.append(so_far[middle])
        else:
            medians.append((so_far[middle - 1] + so_far[middle]) / 2)
    return medians
