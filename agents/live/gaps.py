"""Where a series fell silent, told from how often it usually speaks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.telemetry import TelemetryGap

__all__ = ["silences"]

TIMES = 3
MIN_MINUTES = 3
MIN_TOLD = 30
"""Minutes with a value, before anything is usual."""


def silences(source: str, told: npt.NDArray[np.bool_], first: int, since: float) -> list[TelemetryGap]:
    """Gaps that end after `since` (seconds), in minutes from `first` on; `told` says which held something.

    A gap is longer than 3 times the usual distance between values, and than 3 minutes.  One that reaches the end of
    `told` is not over.
    """
    places = np.flatnonzero(told)
    if places.size < MIN_TOLD:
        return []
    distances = np.diff(np.append(places, told.size))
    usual = max(1, int(np.median(distances[:-1])))
    long = np.flatnonzero(distances - 1 >= max(TIMES * usual, MIN_MINUTES))
    gaps = []
    for place in long:
        begin = (first + int(places[place]) + 1) * 60.0
        end = (first + int(places[place]) + int(distances[place])) * 60.0
        if end > since:
            gaps.append(TelemetryGap(source=source, begin=begin, end=end))
    return gaps
