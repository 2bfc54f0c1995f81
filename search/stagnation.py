"""Is the search still getting anywhere?  All on scores in the order they came; None marks a crash.

Notation: v₁ … v_n scores, b_i = max(v₁ … v_i) the best so far, n the number of entries (crashes count as entries).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["best_so_far", "detect_stagnation", "performance_trend", "recent_gain", "slope"]


def best_so_far(values: Sequence[float | None]) -> list[float | None]:
    """b_i; None until the first finished trial."""
    out: list[float | None] = []
    top: float | None = None
    for value in values:
        if value is not None and math.isfinite(value) and (top is None or value > top):
            top = value
        out.append(top)
    return out


def recent_gain(values: Sequence[float | None], window: int = 5) -> float:
    """b_n - b_(n-window): what the last `window` entries added to the best; 0 while nothing stood before them."""
    curve = best_so_far(values)
    if len(curve) <= window or curve[-1] is None:
        return 0.0
    before = curve[-1 - window]
    return 0.0 if before is None else curve[-1] - before


def detect_stagnation(values: Sequence[float | None], threshold: float = 0.01, window: int = 5) -> bool:
    """Whether the last `window` entries raised the best by less than `threshold`.

    False until more than `window` entries are known and one of those before the window finished.
    """
    if window < 1:
        raise ValueError(f"window must be at least 1, not {window}")
    curve = best_so_far(values)
    if len(curve) <= window or curve[-1 - window] is None:
        return False
    return recent_gain(values, window) < threshold


def performance_trend(values: Sequence[float | None], window: int = 10) -> list[float]:
    """The last `window` finished scores, oldest first."""
    return [v for v in values if v is not None and math.isfinite(v)][-window:]


def slope(values: Sequence[float | None], window: int = 10) -> float:
    """The least-squares slope of the last `window` finished scores, per trial; 0 for fewer than two."""
    y = performance_trend(values, window)
    if len(y) < 2:
        return 0.0
    middle, mean = (len(y) - 1) / 2, sum(y) / len(y)
    top = sum((i - middle) * (v - mean) for i, v in enumerate(y))
    return top / sum((i - middle) ** 2 for i in range(len(y)))
