"""An interval for a mean that holds at every look, from its score and its information.

Notation: S the score (the sum of what each observation says, weighted by its precision), V the information (the sum of
the precisions), so that S/V estimates the effect δ with variance 1/V, and S − δV is a martingale with variance V.

    e-value     √(ρ/(V+ρ)) exp((S − δV)² / (2 (V+ρ)))       a normal mixture over what δ may be instead, variance 1/ρ
    interval    S/V ± √((V+ρ) log((V+ρ)/(ρ α²))) / V        every δ whose e-value stays below 1/α

By Ville's inequality it holds the true δ at all looks at once with probability ≥ 1 − α, for normal increments, and
nearly so for sums of many bounded ones.  Robbins (1970); as mSPRT: Johari, Koomen, Pekelis & Walsh (2022); as a
confidence sequence: Howard, Ramdas, McAuliffe & Sekhon (2021), §3.2.  Score and information of a comparison with an
estimated baseline have independent increments too: Jennison & Turnbull (1997).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["interval"]


def interval(score: float, information: float, *, level: float, scales: Sequence[float]) -> tuple[float, float]:
    """The interval for δ; infinite without information.

    `scales`: sizes of effects that it is to be narrow for, each 1/√ρ.  With several, α is shared evenly and the
    intervals are cut with one another.
    """
    if information <= 0:
        return -math.inf, math.inf
    alpha = (1 - level) / len(scales)
    middle = score / information
    half = min(_half(information, 1 / scale**2, alpha) for scale in scales)
    return middle - half, middle + half


def _half(information: float, rho: float, alpha: float) -> float:
    total = information + rho
    return math.sqrt(total * math.log(total / (rho * alpha**2))) / information
