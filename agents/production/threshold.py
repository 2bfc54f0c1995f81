"""How good a plan must look before it is worth following, found from what following plans came to.

Every later outcome that made use of a plan is one trial: the plan's confidence q, and whether it went well.  Of the
confidences t that occur, the one is taken whose uses with q ≥ t have the highest lower bound of success, so that a few
lucky uses of the best-looking plans do not shut out the rest.

    L(k, n) = (p + z²/2n − z √(p(1−p)/n + z²/4n²)) / (1 + z²/n),  p = k/n,  z = 1.645

Source: Wilson 1927, the lower end of the score interval at 90 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["AT_LEAST", "Judged", "lower_bound", "tuned_threshold"]

AT_LEAST = 20
"""Uses without which nothing is tuned."""
Z = 1.6449


@dataclass(frozen=True)
class Judged:
    """What a plan promised (0 … 1), and whether following it went well."""

    confidence: float
    success: bool


def tuned_threshold(uses: Sequence[Judged], default: float = 0.0) -> float:
    """The threshold (0 … 1); `default` below `AT_LEAST` uses.  Of equally good ones the lowest, which keeps most."""
    if len(uses) < AT_LEAST:
        return default
    best, best_bound = default, -1.0
    for threshold in sorted({use.confidence for use in uses}):
        kept = [use.success for use in uses if use.confidence >= threshold]
        bound = lower_bound(sum(kept), len(kept))
        if bound > best_bound:
            best, best_bound = threshold, bound
    return best


def lower_bound(successes: int, trials: int) -> float:
    """L(k, n): the share of successes that lies below with 5 % of doubt; 0 without trials."""
    if not trials:
        return 0.0
    share, squared = successes / trials, Z * Z
    middle = share + squared / (2 * trials)
    width = Z * math.sqrt(share * (1 - share) / trials + squared / (4 * trials * trials))
    return max(0.0, (middle - width) / (1 + squared / trials))
