"""Geometry of the report's charts: values → places in percent and SVG paths.  No script, no library.

Shapes are drawn in a box of 1000 × 1000 that is stretched to the width there is; strokes do not stretch with it, and
text is HTML laid over it.  So a chart is as readable at 400 pixels as at 1600.

Notation: (x, y) are data, u = 1000 (x - x_low) / (x_high - x_low), v = 1000 (1 - (y - y_low) / (y_high - y_low)).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

__all__ = ["Axis", "progress_chart", "spark", "ticks", "whiskers"]

BOX = 1000.0
ROOM_FOR_TRIALS = 1.0
"""How far the axis goes beyond the curves towards bad trials, in heights of the curves."""
Values = Sequence[float | None]


@dataclass(frozen=True)
class Axis:
    """One direction: `low` and `high` of the data."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """0 at `low`, 1000 at `high`; what is outside lies on the edge."""
        return BOX * min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    @classmethod
    def around(cls, values: Sequence[float], margin: float = 0.06) -> Axis:
        """From the least to the greatest, with room on both sides; never of no extent."""
        low, high = min(values), max(values)
        spread = (high - low) or abs(high) * 0.1 or 1.0
        return cls(low - margin * spread, high + margin * spread)


LEAST_STEP = 1e-300
"""Below it there are no powers of ten to stand on."""


def ticks(axis: Axis, wanted: int = 5) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) inside the axis; of one without an extent its beginning."""
    rough = (axis.high - axis.low) / max(wanted, 1)
    if rough < LEAST_STEP:
        return [axis.low]
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))
    first = math.ceil(axis.low / step - 1e-9)
    last = math.floor(axis.high / step + 1e-9)
    return [n * step for n in range(first, last + 1)]


def progress_chart(
    trials: Values,
    best: Values,
    controls: Mapping[str, Values],
    baseline: float | None,
    noise_sd: float,
    *,
    upwards: bool,
) -> dict[str, Any] | None:
    """Trials as points, best-so-far as steps, the best of each control arm beside it, the baseline with ± 1 sd.

    Values are in the metric's own direction; `upwards` says which is better.  None when there is nothing to draw.
    The axis shows the curves whole; a trial far worse is drawn on the edge.
    """
    curves = [v for v in chain(best, *controls.values()) if v is not None]
    if baseline is not None:
        curves += [baseline - noise_sd, baseline + noise_sd]
    if not curves or not trials:
        return None
    low, high = min(curves), max(curves)
    room = ROOM_FOR_TRIALS * ((high - low) or abs(high) * 0.05 or 1.0)
    near = [v for v in trials if v is not None and low - room <= v <= high + room]
    y = Axis.around([*curves, *near])
    x = Axis(0.5, max(len(trials), *map(len, controls.values()), 2) + 0.5)
    outside = [v for v in trials if v is not None and not y.low <= v <= y.high]
    shown = ticks(y)
    places = max(0, -math.floor(math.log10(shown[1] - shown[0]) + 1e-9)) if len(shown) > 1 else 3
    return {
        "y_ticks": [{"at": 100 - y.place(t) / 10, "text": f"{t:.{places}f}"} for t in shown],
        "x_ticks": [
            {"at": x.place(t) / 10, "text": f"{t:.0f}"} for t in ticks(x, 8) if t == round(t) and 1 <= t <= x.high
        ],
        "best": _steps(x, y, best),
        "controls": [{"arm": arm, "path": _steps(x, y, values)} for arm, values in controls.items()],
        "baseline": None if baseline is None else BOX - y.place(baseline),
        "band": None
        if baseline is None or noise_sd <= 0
        else (BOX - y.place(baseline + noise_sd), y.place(baseline + noise_sd) - y.place(baseline - noise_sd)),
        "points": [
            {"x": x.place(n), "y": BOX - y.place(v), "edge": not y.low <= v <= y.high, "number": n, "value": v}
            for n, v in enumerate(trials, 1)
            if v is not None
        ],
        "failed": [x.place(n) for n, v in enumerate(trials, 1) if v is None],
        "outside": len(outside),
        "upwards": upwards,
    }


def _steps(x: Axis, y: Axis, values: Values) -> str:
    """The path of a value that holds from its trial until the next."""
    parts: list[str] = []
    for number, value in enumerate(values, 1):
        if value is None:
            continue
        at = f"{BOX - y.place(value):.1f}"
        parts.append(f"H{x.place(number):.1f}V{at}" if parts else f"M{x.place(number):.1f} {at}")
    if parts:
        parts.append(f"H{x.place(len(values) + 0.5):.1f}")
    return "".join(parts)


def spark(values: Sequence[float]) -> dict[str, Any] | None:
    """A line without axes, such as a weight over the cycles; None with fewer than two values.

    The axis holds 0 … 2, the range of weights, so that lines can be compared.
    """
    if len(values) < 2:
        return None
    y = Axis(0.0, max(2.0, *values))
    x = Axis(0.0, float(len(values) - 1))
    path = " ".join(f"{x.place(n):.1f},{BOX - y.place(v):.1f}" for n, v in enumerate(values))
    return {"points": path, "one": BOX - y.place(1.0)}


def whiskers(differences: Sequence[float], low: float, mean: float, high: float) -> dict[str, Any]:
    """Paired differences as points, their interval as a bar, and zero, all in percent of the width."""
    x = Axis.around([*differences, low, high, 0.0], margin=0.08)
    shown = ticks(x, 4)
    places = max(0, -math.floor(math.log10(shown[1] - shown[0]) + 1e-9)) if len(shown) > 1 else 3
    return {
        "zero": x.place(0.0) / 10,
        "low": x.place(low) / 10,
        "width": (x.place(high) - x.place(low)) / 10,
        "mean": x.place(mean) / 10,
        "points": [x.place(d) / 10 for d in differences],
        "ticks": [{"at": x.place(t) / 10, "text": f"{t:+.{places}f}" if t else "0"} for t in shown],
    }
