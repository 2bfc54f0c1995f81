"""Recombination: children of past winners by crossover, then a small perturbation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from search.box import Box
from search.space import Config, Space
from search.trials import Trial, finished

__all__ = ["Child", "recombine"]

ATTEMPTS = 32


@dataclass(frozen=True, slots=True)
class Child:
    """A new configuration and the ids of the trials it was made from (one id if only one winner is known)."""

    config: Config
    parents: tuple[str, ...]


def recombine(
    space: Space,
    trials: Sequence[Trial],
    n: int,
    rng: np.random.Generator,
    *,
    elite: int = 5,
    scale: float = 0.08,
    box: Box | None = None,
) -> list[Child]:
    """Up to `n` new configurations from the `elite` best trials; fewer when new ones cannot be found.

    The better of two random winners is likelier to be a parent (weights 1, ½, ⅓ … by rank).  No child equals a
    trial or another child, and all lie in `box` where there is one.  Without a finished trial there is nothing to
    recombine: an empty list.
    """
    winners = sorted(finished(trials), key=lambda t: -float(t.value or 0.0))[:elite]
    if not winners:
        return []
    weights = 1.0 / np.arange(1, len(winners) + 1)
    weights /= weights.sum()
    seen = {space.key(t.config) for t in trials}
    out: list[Child] = []
    for _ in range(ATTEMPTS * n):
        if len(out) == n:
            break
        count = min(2, len(winners))
        picked = [winners[int(i)] for i in rng.choice(len(winners), size=count, replace=False, p=weights)]
        base = space.crossover(picked[0].config, picked[-1].config, rng)
        child = space.neighbour(base, rng, scale)
        if box is not None:
            child = box.settle(child)
        key = space.key(child)
        if key not in seen:
            seen.add(key)
            out.append(Child(child, tuple(t.id for t in picked)))
    return out
