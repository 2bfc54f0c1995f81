"""Where is the centre of symmetric noise?  An interval that holds at every look, whatever the tails.

Notation: x_1 … x_n arrive one by one.  Given the past, and given how far x_i lies from the centre m, both sides are as
likely; nothing else is assumed: no variance, no shape, and it may change as it goes on.  α = 1 − level.

    bet         1 ± c tanh((x_i − m) b / s), or 1 ± c sign(x_i − m): its mean is 1, so a product of bets is a martingale
                e-tests of symmetry: Vovk & Wang 2024; betting: Waudby-Smith & Ramdas 2023
    evidence    M⁺(m), M⁻(m): the mean over `SHARES` × `BENDS` of the products with + and with −
    interval    every m with M⁺(m) < 2/α and M⁻(m) < 2/α
                Ville 1939: with probability ≥ 1 − α it holds the centre at all n at once; Howard et al. 2021, §1
    estimate    the median of (x_i + x_j)/2 over i ≤ j                                Hodges & Lehmann 1963

M⁺ falls and M⁻ rises with m, so each end is found by halving.  A scale s that is wrong costs pairs, not validity.  One
observation at most nearly doubles the evidence: below seven no interval of level 0.95 is finite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["confidence_sequence", "hodges_lehmann"]

Array = npt.NDArray[np.float64]
SHARES = np.array([0.45, 0.92])
"""The share c of what has been won that a bet risks: little for small effects, much for plain ones."""
BENDS = np.array([0.6, 2.5])
"""How fast a bet saturates, b: nearly linear (close to the best for normal noise), and soon.  A third is the sign's."""
HALVINGS = 32
"""Of the range of the data, which leaves less than a billionth of it."""


def confidence_sequence(x: Sequence[float], scale: float, level: float) -> tuple[float, float]:
    """The interval for the centre after these n observations; an end is infinite while nothing bounds it.

    `scale` ≥ 0, in the units of x and chosen without looking at x: about the noise of one; with 0 only signs count.
    """
    values = np.asarray(x, dtype=float)
    low = _lower_end(values, scale, level)
    return low, -_lower_end(-values, scale, level)


def hodges_lehmann(x: Sequence[float]) -> float:
    """The median of the means of all pairs, each with itself too; for symmetric noise, an estimate of the centre."""
    values = np.asarray(x, dtype=float)
    i, j = np.triu_indices(len(values))
    return float(np.median(values[i] / 2 + values[j] / 2))


def _lower_end(x: Array, scale: float, level: float) -> float:
    """The largest m, up to rounding, that M⁺ rules out; M⁻ of x is M⁺ of −x."""
    if not len(x):
        return -math.inf
    threshold = math.log(2 / (1 - level))
    # so far below all of them that every bet is saturated
    low, high = float(x.min()) - 40 * scale - 1e-9 * float(np.abs(x).max()) - 1e-300, float(x.max())
    if _log_evidence(x, low, scale) < threshold:
        return -math.inf
    for _ in range(HALVINGS):
        middle = low / 2 + high / 2
        if _log_evidence(x, middle, scale) >= threshold:
            low = middle
        else:
            high = middle
    return low


def _log_evidence(x: Array, m: float, scale: float) -> float:
    """log M⁺(m)."""
    off = x - m
    bets = np.sign(off)[None]
    if scale > 0:
        with np.errstate(over="ignore"):  # an infinite distance is a sign
            bets = np.concatenate([bets, np.tanh(np.multiply.outer(BENDS, off / scale))])
    won = np.log1p(SHARES[:, None, None] * bets).sum(axis=-1)
    top = float(won.max())
    return top + math.log(float(np.exp(won - top).mean()))
