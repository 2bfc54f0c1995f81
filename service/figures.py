"""Numbers as people read them: as many decimals as the spread beside them is worth."""

from __future__ import annotations

import math

__all__ = ["around", "between", "decimals", "signed"]

MAX_DECIMALS = 8


def decimals(spread: float) -> int | None:
    """Decimals that show two significant digits of `spread`; None when it says nothing (0, NaN or infinite)."""
    if not math.isfinite(spread) or spread <= 0:
        return None
    return min(max(0, 1 - math.floor(math.log10(spread))), MAX_DECIMALS)


def around(mean: float, sd: float) -> str:
    """`0.9512 ± 0.0036`."""
    places = decimals(sd)
    return f"{mean:.5g} ± {sd:.2g}" if places is None else f"{mean:.{places}f} ± {sd:.{places}f}"


def between(low: float, high: float) -> str:
    """An interval of a difference: `[+0.177, +0.183]`."""
    places = decimals((high - low) / 2)
    if places is None:
        return f"[{low:+.3g}, {high:+.3g}]"
    return f"[{low:+.{places}f}, {high:+.{places}f}]"


def signed(value: float, spread: float = 0.0) -> str:
    """A difference, with the decimals of `spread` where there is one: `+0.180`."""
    places = decimals(spread)
    return f"{value:+.3g}" if places is None else f"{value:+.{places}f}"
