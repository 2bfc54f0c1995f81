"""Gauss–Legendre rules.

Notation: P_n the Legendre polynomials, x_i the zeros of P_n, w_i = 2 / ((1 - x_i²) P_n'(x_i)²) their weights
(Abramowitz & Stegun, 1964, 25.4.29).  The zeros are found by Newton's method from cos(π (i + 3/4) / (n + 1/2)).
"""

from __future__ import annotations

import math
from collections.abc import Callable

Rule = tuple[tuple[float, float], ...]
"""Pairs of node and weight."""


def legendre(n: int, x: float) -> tuple[float, float]:
    """P_n and its derivative at x, for n at least 1 and x other than -1 and 1."""
    values = [1.0, x]
    for k in range(2, n + 1):
        values.append(((2 * k - 1) * x * values[k - 1] - (k - 1) * values[k - 2]) / k)
    return values[n], n * (x * values[n] - values[n - 1]) / (x * x - 1)


def gauss_rule(n: int) -> Rule:
    """The n pairs of node and weight on [-1, 1], nodes from left to right.

    Exact for polynomials up to degree 2n - 1.  Raises ValueError for n below 1.
    """
    if n < 1:
        raise ValueError(f"a rule needs at least one node, not {n}")
    pairs = []
    for i in range(n):
        x = -math.cos(math.pi * (i + 0.75) / (n + 0.5))
        for _ in range(100):
            value, slope = legendre(n, x)
            x = x - value / slope
            if abs(value / slope) < 1e-15:
                break
        value, slope = legendre(n, x)
        pairs.append((x, 2 / ((1 - x**2) * slope**2)))
    return tuple(pairs)


def apply_rule(rule: Rule, function: Callable[[float], float], low: float, high: float) -> float:
    """The integral of a function from low to high as the rule sees it."""
    total = 0.0
    for node, weight in rule:
        total = total + (high - low) / 2 * weight * function((low + high) / 2 + (high - low) / 2 * node)
    return total
