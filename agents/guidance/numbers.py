"""Numbers of a clause as bounds and values of a parameter: units, open ends, and what the space can hold."""

from __future__ import annotations

import math
from typing import Any

from agents.guidance.clauses import NotUnderstoodError
from core.errors import ConfigError
from core.guidance import Meaning
from search.parameters import Choice, Float, Int, Parameter

__all__ = ["FLIPPED", "NEGATED", "Number", "between", "bound", "interval", "value_of"]

FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""The comparison read from the other side."""
NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}

Number = tuple[float, bool]
"""A value, and whether it is percent."""


def interval(parameter: Parameter, sign: str, number: Number) -> tuple[float | None, float | None]:
    """(low, high), ends included: of a whole number the next one, of any other the next one that a float can be."""
    value = _in_units(parameter, number)
    if isinstance(parameter, Int):
        if sign == "<":
            return None, math.ceil(value) - 1
        if sign == ">":
            return math.floor(value) + 1, None
        return (None, math.floor(value)) if sign == "<=" else (math.ceil(value), None)
    if sign == "<":
        return None, math.nextafter(value, -math.inf)
    if sign == ">":
        return math.nextafter(value, math.inf), None
    return (None, value) if sign == "<=" else (value, None)


def value_of(name: str, parameter: Parameter, number: Number) -> Any:
    """The number as a value of the parameter.  Raises NotUnderstoodError where it can be none."""
    try:
        return parameter.canonical(_in_units(parameter, number), name)
    except ConfigError as error:
        raise NotUnderstoodError(error.what, error.hint) from error


def between(parameter: Parameter, a: Number, b: Number) -> tuple[float, float]:
    """(low, high) of a range, whichever end was said first."""
    low, high = sorted((_in_units(parameter, a), _in_units(parameter, b)))
    return low, high


def bound(name: str, parameter: Parameter, low: float | None, high: float | None) -> Meaning:
    """The bound, or of a choice among numbers the exclusion of what lies outside.

    Raises NotUnderstoodError where it would leave nothing, or changes nothing.
    """
    if isinstance(parameter, Choice):
        numbers = [o for o in parameter.options if isinstance(o, int | float) and not isinstance(o, bool)]
        if len(numbers) < len(parameter.options):
            raise NotUnderstoodError(f"{name} is no number", f"it is {parameter.allowed}")
        kept = [o for o in numbers if (low is None or o >= low) and (high is None or o <= high)]
        _leaves_something(name, parameter, empty=not kept, vacuous=len(kept) == len(numbers))
        out = tuple(o for o in numbers if o not in kept)
        return Meaning(kind="exclusion", target="parameter", name=name, options=out, hard=True)
    least = parameter.low if low is None else max(low, parameter.low)
    most = parameter.high if high is None else min(high, parameter.high)
    if isinstance(parameter, Int):
        least, most = math.ceil(least), math.floor(most)
    vacuous = least <= parameter.low and most >= parameter.high
    _leaves_something(name, parameter, empty=least > most, vacuous=vacuous)
    return Meaning(kind="bound", target="parameter", name=name, low=low, high=high, hard=True)


def _leaves_something(name: str, parameter: Parameter, *, empty: bool, vacuous: bool) -> None:
    if empty:
        raise NotUnderstoodError(f"nothing of {name} would be left", f"it is {parameter.allowed}")
    if vacuous:
        raise NotUnderstoodError(f"all of {name} is within that already", f"it is {parameter.allowed}")


def _in_units(parameter: Parameter, number: Number) -> float:
    """The value in the units of the parameter: percent is a share, but of what is itself measured in percent."""
    value, percent = number
    if not math.isfinite(value):
        raise NotUnderstoodError("that number is too large")
    if not percent:
        return value
    if isinstance(parameter, Float | Int) and parameter.high > 1 and parameter.low <= value <= parameter.high:
        return value
    return float(f"{value / 100:.12g}")
