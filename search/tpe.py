"""Tree-structured Parzen estimator: proposals for conditional spaces, by ranks alone.

Notation: the best γ-share of the finished trials forms l(x), the rest (and all crashes) g(x); both are products over
parameters of mixtures with one kernel per trial that has the parameter and one flat prior kernel.  Candidates are
drawn from l and the one with the largest log l(x) - log g(x) is taken.  Bergstra et al. (2011), eq. 2–6; kernel
widths and weights after Watanabe (2023), arXiv:2304.11127.  Since only ranks enter, heavy tails cannot hurt.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp, ndtr, ndtri

from search.cube import Cube

__all__ = ["ParzenRatio"]

Array = npt.NDArray[np.float64]
ROOT_2PI = float(np.sqrt(2 * np.pi))


class _Mixture:
    """One Parzen mixture per parameter, over the rows that have it.  `U` (n, d) snapped rows, `A` (n, d) active."""

    def __init__(self, cube: Cube, U: Array, A: npt.NDArray[np.bool_]) -> None:
        self.cube = cube
        self.parts: list[tuple[Array, Array]] = []
        for j in range(cube.d):
            x = U[A[:, j], j]
            if cube.choice[j]:
                k = int(cube.levels[j])
                counts = np.bincount(np.floor(x * k).astype(int), minlength=k) + 1.0 / k
                self.parts.append((counts / counts.sum(), np.zeros(0)))
            else:
                self.parts.append(_numeric(x, int(cube.levels[j])))

    def draw(self, m: int, rng: np.random.Generator) -> Array:
        """Rows (m, d), each coordinate from its own mixture, not yet snapped."""
        U = np.empty((m, self.cube.d))
        for j, (a, b) in enumerate(self.parts):
            if self.cube.choice[j]:
                U[:, j] = (rng.choice(len(a), size=m, p=a) + 0.5) / len(a)
            else:
                pick = rng.integers(len(a), size=m)
                low, high = ndtr((0.0 - a[pick]) / b[pick]), ndtr((1.0 - a[pick]) / b[pick])
                U[:, j] = a[pick] + b[pick] * ndtri(low + rng.random(m) * (high - low))
        return np.clip(U, 0.0, 1.0)

    def log_density(self, U: Array) -> Array:
        """Log density of every coordinate, shape (m, d)."""
        out = np.empty(U.shape)
        for j, (a, b) in enumerate(self.parts):
            if self.cube.choice[j]:
                out[:, j] = np.log(a[np.floor(U[:, j] * len(a)).astype(int)])
                continue
            mass = ndtr((1.0 - a) / b) - ndtr((0.0 - a) / b)
            k = int(self.cube.levels[j])
            if k:
                inside = ndtr((U[:, j, None] + 0.5 / k - a) / b) - ndtr((U[:, j, None] - 0.5 / k - a) / b)
                terms = np.log(np.maximum(inside / mass, 1e-300))
            else:
                terms = -0.5 * ((U[:, j, None] - a) / b) ** 2 - np.log(b * mass * ROOT_2PI)
            out[:, j] = logsumexp(terms, axis=1) - np.log(len(a))
        return out


def _numeric(x: Array, levels: int) -> tuple[Array, Array]:
    """Kernel centres and widths: the larger gap to a neighbour, between 1/min(100, n+2) and the whole interval."""
    centres = np.append(x, 0.5)
    order = np.argsort(centres, kind="stable")
    ordered = np.concatenate([[0.0], centres[order], [1.0]])
    gaps = np.diff(ordered)
    widths = np.empty(len(centres))
    widths[order] = np.maximum(gaps[:-1], gaps[1:])
    widths = np.clip(widths, 1.0 / min(100.0, 1.0 + len(centres)), 1.0)
    widths[-1] = 1.0  # the prior kernel
    if levels:
        widths = np.maximum(widths, 0.5 / levels)
    return centres, widths


class ParzenRatio:
    """log l - log g over a space, from ranked trials."""

    def __init__(self, cube: Cube, U: Array, values: Array, *, top: float = 0.15, most: int = 25) -> None:
        """`U` (n, d) snapped rows, `values` (n,) with -inf for crashes (always in g)."""
        self.cube = cube
        finite = np.isfinite(values)
        n = int(finite.sum())
        size = min(most, max(1, int(np.ceil(top * n)))) if n else 0
        order = np.argsort(-values, kind="stable")
        A = cube.active(U)
        self.good = _Mixture(cube, U[order[:size]], A[order[:size]])
        self.bad = _Mixture(cube, U[order[size:]], A[order[size:]])

    def log_ratio(self, U: Array) -> Array:
        """The sum over active parameters of log l - log g, shape (m,)."""
        parts = self.good.log_density(U) - self.bad.log_density(U)
        return np.asarray(np.where(self.cube.active(U), parts, 0.0).sum(axis=1))

    def propose(self, m: int, rng: np.random.Generator) -> Array:
        """One snapped row (d,): every parameter takes the best of `m` draws of its own, parents first."""
        draws = self.cube.rounded(self.good.draw(m, rng))  # ints are judged where they land
        ratio = self.good.log_density(draws) - self.bad.log_density(draws)
        best = draws[np.argmax(ratio, axis=0), np.arange(self.cube.d)]
        return np.asarray(self.cube.snap(best[None])[0])

    def candidates(self, m: int, rng: np.random.Generator) -> Array:
        """`m` snapped rows drawn from l."""
        return self.cube.snap(self.good.draw(m, rng))
