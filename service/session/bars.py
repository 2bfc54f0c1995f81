"""Bars and sparklines, in blocks or in ASCII."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["bar", "sparkline"]

EIGHTHS = "▁▂▃▄▅▆▇█"
ASCII = "_.-:=+*#"


def bar(share: float, length: int, *, unicode: bool) -> str:
    """`share` in 0 … 1 of `length` characters; something is shown for anything above 0."""
    if not math.isfinite(share) or share <= 0:
        return ""
    return ("█" if unicode else "#") * max(1, round(min(share, 1.0) * length))


def sparkline(values: Sequence[float], length: int, *, unicode: bool) -> str:
    """The last values, one character each, from the lowest of them to the highest; of more than `length`, the last."""
    shown = [value for value in values if math.isfinite(value)][-length:]
    if not shown:
        return ""
    marks = EIGHTHS if unicode else ASCII
    low, high = min(shown), max(shown)
    if high <= low:
        return marks[len(marks) // 2] * len(shown)
    span = high / 2 - low / 2  # halves: the difference of two floats may be none
    return "".join(marks[round((value / 2 - low / 2) / span * (len(marks) - 1))] for value in shown)
