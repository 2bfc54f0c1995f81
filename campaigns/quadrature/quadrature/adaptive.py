"""Adaptive quadrature over the whole interval (after Piessens et al., QUADPACK, 1983, without its extrapolation).

The interval is cut into panels, each with a value and an estimate of its error.  As long as the estimates together are
too large, the panels with the largest are divided.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from quadrature.rules import Rule, apply_rule, gauss_rule

ORDER = 4  # tunable: 2..40
"""Nodes of the rule that is used on a panel."""

PANELS = 32  # tunable: 1..512 log
"""Panels to begin with."""

PIECES = 2  # tunable: 2..8
"""Into how many a panel is divided."""

BATCH = 4  # tunable: 1..64 log
"""Panels that are divided before the errors are looked at again."""

MARGIN = 0.1  # tunable: 0.001..1000.0 log
"""How large the estimates together may be, as a multiple of the tolerance. True errors are mostly far smaller."""

LIMIT = 2000
"""Panels at which the search is given up."""


class AccuracyError(ArithmeticError):
    """The accuracy was not reached with as many panels as are allowed."""


@dataclass
class Panel:
    """A part of the interval, the integral over it and an estimate of its error."""

    low: float
    high: float
    value: float
    error: float


@dataclass
class Result:
    """The integral, an estimate of its error (mostly far too large), and how many panels it took."""

    value: float
    error: float
    panels: int


def integrate(function: Callable[[float], float], low: float, high: float, tolerance: float = 1e-8) -> Result:
    """The integral of a smooth function from low to high to an absolute error of at most `tolerance`.

    Peaks are found if they are wider at half their height than a fiftieth of the interval.  `high` may be below `low`.
    Raises ValueError for bounds that are not finite or a tolerance that is not positive, AccuracyError for a function
    that is too rough.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"bounds must be finite, not {low} and {high}")
    if not tolerance > 0:
        raise ValueError(f"the tolerance must be positive, not {tolerance}")
    rule = gauss_rule(ORDER)
    panels = divide(function, low, high, PANELS, rule)
    while sum([panel.error for panel in panels]) > MARGIN * tolerance:
        if len(panels) > LIMIT:
            raise AccuracyError(f"{len(panels)} panels are not enough for a tolerance of {tolerance}")
        panels.sort(key=lambda panel: panel.error)
        worst = panels[-BATCH:]
        panels = panels[:-BATCH]
        for panel in worst:
            panels = panels + divide(function, panel.low, panel.high, PIECES, rule)
    return Result(sum([panel.value for panel in panels]), sum([panel.error for panel in panels]), len(panels))


def divide(function: Callable[[float], float], low: float, high: float, pieces: int, rule: Rule) -> list[Panel]:
    """An interval cut into so many panels of equal width, from left to right."""
    panels = []
    for i in range(pieces):
        left = low + (high - low) * i / pieces
        right = low + (high - low) * (i + 1) / pieces
        panels.append(measure(function, left, right, rule))
    return panels


def measure(function: Callable[[float], float], low: float, high: float, rule: Rule) -> Panel:
    """One panel; its value is that of its halves, its error the difference to the rule on the whole."""
    middle = (low + high) / 2
    whole = apply_rule(rule, function, low, high)
    left = apply_rule(rule, function, low, middle)
    right = apply_rule(rule, function, middle, high)
    return Panel(low, high, left + right, abs(left + right - whole))
