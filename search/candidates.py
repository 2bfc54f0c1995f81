"""Candidates for an acquisition function: a pool over the whole space and around the best, then local refinement.

All rows are snapped (see `search.cube`) and none equals a row that was tried already.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from search.cube import Cube

__all__ = ["perturb", "pool", "refine", "unseen"]

Array = npt.NDArray[np.float64]
Score = Callable[[Array], Array]
"""Snapped rows (m, d) → worth (m,), higher is better."""


def perturb(cube: Cube, centres: Array, scale: Array, rng: np.random.Generator, rate: float = 0.5) -> Array:
    """One mutant per row of `centres` (m, d): Gaussian steps of `scale` (m,), options redrawn, at least one change."""
    m, d = centres.shape
    move = rng.random((m, d)) < rate
    move[np.arange(m), rng.integers(d, size=m)] = True
    steps = centres + scale[:, None] * rng.standard_normal((m, d))
    steps = np.abs(steps)
    steps = 1.0 - np.abs(1.0 - steps)  # reflected at both ends
    # a whole number moves by one level at least half of the time, or small scales would never move it
    levels = np.where(cube.whole, np.maximum(cube.levels, 1), 1)
    hop = centres + rng.choice([-1.0, 1.0], size=(m, d)) / levels
    steps = np.where(cube.whole & (rng.random((m, d)) < 0.5), hop, steps)
    redraw = rng.random((m, d))
    option = cube.choice & (rng.random((m, d)) < 0.4)
    steps = np.where(cube.choice, np.where(option, redraw, centres), steps)
    return cube.snap(np.where(move, steps, centres))


def pool(cube: Cube, centres: Array, rng: np.random.Generator, *, wide: int = 400, near: int = 80) -> Array:
    """`wide` rows over the whole space and `near` around each of `centres` (k, d), at scales from 0.3 to 0.003."""
    rows = [cube.sample(wide, rng)]
    if len(centres):
        around = np.repeat(centres, near, axis=0)
        scale = 10 ** rng.uniform(-2.5, -0.5, len(around))
        rows.append(perturb(cube, around, scale, rng))
    return np.concatenate(rows)


def unseen(rows: Array, tried: Array) -> Array:
    """The distinct rows that are not among `tried` (k, d)."""
    seen = {row.tobytes() for row in np.round(tried, 12)}
    keep = []
    for i, row in enumerate(np.round(rows, 12)):
        text = row.tobytes()
        if text not in seen:
            seen.add(text)
            keep.append(i)
    return rows[keep]


def refine(
    cube: Cube, score: Score, starts: Array, rng: np.random.Generator, *, rounds: int = 6, each: int = 24
) -> tuple[Array, Array]:
    """Local search on `score` from each row of `starts` (k, d) with shrinking steps; the best rows and their worth."""
    best, worth = starts.copy(), score(starts)
    k = len(starts)
    for turn in range(rounds):
        scale = 0.15 * 0.45**turn * 10 ** rng.uniform(-0.5, 0.3, k * each)
        mutants = perturb(cube, np.repeat(best, each, axis=0), scale, rng)
        values = score(mutants).reshape(k, each)
        top = np.argmax(values, axis=1)
        better = values[np.arange(k), top] > worth
        best[better] = mutants.reshape(k, each, -1)[np.arange(k), top][better]
        worth = np.where(better, values[np.arange(k), top], worth)
    return best, worth
