"""Who is to have children: by quality, novelty and how many there are already.

Notation: E elites; of elite i: q_i and r_i ∈ [0, 1] the ranks of its score and of its novelty among them (worst 0, best
1, ties share the mean), n_i the candidates made from it so far; x_i its cell's place in the unit cube, d axes;
k = `NEIGHBOURS`.

    distance     mean over the k nearest others j of |x_i − x_j| / √d          Lehman & Stanley 2011, eq. 1
    parents      w_i = σ(λ (q_i − ½)) · (½ + r_i) · 1 / (1 + n_i),  λ = `GREED`
    complement   w_j · |x_i − x_j|, of another operator where there is one; kept once in 1 + shared places

The first and the last factor of w are those of the Darwin Gödel Machine (Zhang et al. 2025) and of ShinkaEvolve (Lange
et al. 2025): a sigmoid of performance, and one over one plus the children.  Here performance is a rank, so that neither
the unit of a score nor an outlier matters, and the middle factor is added: of two alike in the rest, the most novel
elite is chosen three times as often as the least.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit

__all__ = ["Crowd", "complement_weights", "draw", "parent_weights", "ranks"]

Array = npt.NDArray[np.float64]
NEIGHBOURS = 5
GREED = 10.0


class Crowd:
    """The elites as arrays, one slot each: what the weights are computed from.

    Places never move and nobody leaves, so the nearest neighbours are kept up at O(E k) a newcomer.
    """

    def __init__(self, d: int) -> None:
        self.points: Array = np.zeros((0, d))
        self.scores: Array = np.zeros(0)
        self.told: Array = np.zeros(0)
        """The novelty that was told with each."""
        self.children: Array = np.zeros(0)
        self.operators: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._nearest: Array = np.zeros((0, NEIGHBOURS))
        """The distances to the nearest others, in ascending order; infinite where there are fewer."""
        self.distance: Array = np.zeros(0)
        """The mean of those, shape (E,); 0 for one alone."""

    def __len__(self) -> int:
        return len(self.scores)

    def join(self, point: tuple[float, ...]) -> None:
        """A slot more, at a place where nobody is; `settle` says who takes it."""
        place = np.array(point)
        away = self.distances(place)
        closer = away < self._nearest[:, -1]
        merged = np.sort(np.column_stack([self._nearest[closer], away[closer]]), axis=1)[:, :NEIGHBOURS]
        self._nearest[closer], self.distance[closer] = merged, _mean(merged)
        row = np.full((1, NEIGHBOURS), np.inf)
        near = np.sort(away)[:NEIGHBOURS]
        row[0, : len(near)] = near
        self._nearest = np.vstack([self._nearest, row])
        self.distance = np.append(self.distance, _mean(row))
        self.points = np.vstack([self.points, place])
        self.scores, self.told, self.children = (np.append(a, 0.0) for a in (self.scores, self.told, self.children))
        self.operators = np.append(self.operators, 0)

    def settle(self, slot: int, score: float, novelty: float, children: int, operator: int) -> None:
        """Who takes the slot; `operator` is a number that stands for its name."""
        self.scores[slot], self.told[slot], self.children[slot] = score, novelty, children
        self.operators[slot] = operator

    def distances(self, place: Array) -> Array:
        """From a place to every elite, shape (E,), in 0 … 1."""
        gaps = self.points - place
        return np.asarray(np.sqrt((gaps * gaps).sum(axis=1) / self.points.shape[1]))


def _mean(near: Array) -> Array:
    """The mean of the finite distances of each row; 0 for a row without any."""
    known = np.isfinite(near)
    return np.asarray(np.where(known, near, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1))


def ranks(values: Array) -> Array:
    """Ranks in 0 … 1, ties sharing the mean; ½ for one alone."""
    if len(values) < 2:
        return np.full(len(values), 0.5)
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    return np.asarray(middle[which] / (len(values) - 1))


def parent_weights(crowd: Crowd, in_flight: Array) -> Array:
    """w as above, shape (E,), not normalised.  `in_flight` (E,): children that are on their way."""
    quality = expit(GREED * (ranks(crowd.scores) - 0.5))
    novelty = 0.5 + ranks(crowd.distance + crowd.told)
    return np.asarray(quality * novelty / (1 + crowd.children + in_flight))


def complement_weights(weights: Array, crowd: Crowd, first: int) -> Array:
    """The weights of the second of a pair, shape (E,), for at least two elites; that of the first one is 0."""
    out = weights * crowd.distances(crowd.points[first])
    other = crowd.operators != crowd.operators[first]
    return out * other if other.any() else out


def draw(weights: Array, rng: np.random.Generator) -> int:
    """A slot with probability in proportion to its weight; one number is taken from `rng`."""
    total = np.cumsum(weights)
    slot = np.searchsorted(total, rng.random() * total[-1], side="right")
    return int(min(slot, np.flatnonzero(weights)[-1]))  # the product may have been rounded up to the total
