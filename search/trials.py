"""A finished trial as the arithmetic sees it.  The value is a score: higher is better."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Trial", "best", "finished"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration and what the world answered.

    `value`: the score, higher is better; None (or anything not finite) for a trial that crashed.
    `noise`: the standard error of `value` where repeats have measured it, in the units of the value.
    """

    id: str
    config: Mapping[str, Any]
    value: float | None
    cycle: int = 0
    noise: float | None = None

    @property
    def crashed(self) -> bool:
        return self.value is None or not math.isfinite(self.value)


def finished(trials: Iterable[Trial]) -> list[Trial]:
    """The trials that answered with a number."""
    return [t for t in trials if not t.crashed]


def best(trials: Sequence[Trial]) -> Trial | None:
    """The finished trial with the highest value, the earliest among equals; None if there is none."""
    return max(finished(trials), key=lambda t: float(t.value or 0.0), default=None)
