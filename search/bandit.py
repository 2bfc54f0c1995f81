"""Which operator is to make the next candidate?  Success rates that are learned, forgotten and used.

Notation: an outcome is an operator k and its gain g ≥ 0: the logarithm of how many times better the candidate is than
its parent, 0 when it is no better or failed.  Discounted by γ at every outcome told: N_k the outcomes of k, S_k its
successes (g > 0) and G_k its sum of min(g, `FULL`); S, G without an index are sums over all operators.

    success     p_k ~ Beta(c m + S_k, c (1 − m) + N_k − S_k), drawn    discounted Thompson sampling: Raj & Kalyani 2017
    prior       m the mean over operators of (S_k + `USUAL`) / (N_k + 1), c = `TRUST`: an untried one may be like any
    size        v_k = (G_k + v) / (S_k + 1), with v = G / S
    in flight   counts as an outcome that is as good as the posterior's mean: a draw gets surer, not better
    choice      the largest p_k v_k; but each operator with at least probability `floor`

Log-gains add up along a lineage, so their mean, p v, is what an operator is worth.  What is old weighs less: one that
has nothing left to find is given up, and one that was given up is tried again.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Bandit", "Prior", "Rate", "log_gain"]

Array = npt.NDArray[np.float64]
FULL = math.log(2)
"""The gain above which more does not count: twice as good."""
USUAL = 0.2
"""The success rate believed before anything was told."""
TRUST = 2.0


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of an operator before it was tried: a success rate, as if `outcomes` of it had been seen."""

    success: float
    outcomes: float = TRUST


@dataclass(frozen=True, slots=True)
class Rate:
    """Of one operator: its outcomes so far, how many of them were gains, and what is believed of it now.

    `success`: the rate believed; `gain`: the log-gain expected of one try.
    """

    told: int
    improved: int
    success: float
    gain: float


def log_gain(parent_s: float, candidate_s: float) -> float:
    """The gain of a time in seconds over that of its parent; 0 when it is no shorter."""
    return max(0.0, math.log(parent_s / candidate_s))


class Bandit:
    """A choice among operators: a function of the outcomes told and of nothing else, so a ledger can rebuild it."""

    def __init__(
        self,
        operators: Sequence[str],
        *,
        priors: Mapping[str, Prior] | None = None,
        discount: float = 0.99,
        floor: float = 0.01,
    ) -> None:
        """`floor`: the least probability of each, at most half of an even share.  Raises ValueError."""
        if not operators or len(set(operators)) < len(operators):
            raise ValueError(f"operators must be named, and once each: {list(operators)}")
        if not 0 < discount <= 1 or not 0 <= floor <= 1:
            raise ValueError(f"discount {discount} and floor {floor} must be shares")
        self.operators = tuple(operators)
        self.floor = min(floor, 0.5 / len(operators))
        self.discount = discount
        self._index = {name: k for k, name in enumerate(operators)}
        self._priors = {self._index[name]: prior for name, prior in (priors or {}).items() if name in self._index}
        if not all(0 < p.success < 1 and 0 < p.outcomes < math.inf for p in self._priors.values()):
            raise ValueError(f"a prior needs a success rate inside 0 … 1 and some outcomes: {priors}")
        self._outcomes, self._successes, self._gains = (np.zeros(len(operators)) for _ in range(3))
        self._told: Counter[str] = Counter()
        self._improved: Counter[str] = Counter()

    def tell(self, operator: str, gain: float) -> None:
        """One outcome; below 0 counts as 0.  One of an unknown operator is left out.  Raises ValueError for NaN."""
        if math.isnan(gain):
            raise ValueError(f"the gain of operator {operator} is no number; tell 0 for a failure")
        if operator not in self._index:
            return
        k = self._index[operator]
        for total, more in (
            (self._outcomes, 1.0),
            (self._successes, gain > 0),
            (self._gains, min(max(gain, 0.0), FULL)),
        ):
            total *= self.discount
            total[k] += more
        self._told[operator] += 1
        self._improved[operator] += gain > 0

    def ask(self, rng: np.random.Generator, in_flight: Iterable[str] = ()) -> str:
        """The operator for the next candidate.  `in_flight`: one name for each that was asked and is not told yet."""
        if rng.random() < self.floor * len(self.operators):
            return self.operators[int(rng.integers(len(self.operators)))]
        a, b = self._posterior()
        for name, count in Counter(in_flight).items():
            if (k := self._index.get(name)) is not None:
                surer = 1 + count / (a[k] + b[k])
                a[k], b[k] = a[k] * surer, b[k] * surer
        return self.operators[int(np.argmax(rng.beta(a, b) * self._sizes()))]

    def rates(self) -> dict[str, Rate]:
        """What is known of each operator."""
        a, b = self._posterior()
        success, size = a / (a + b), self._sizes()
        return {
            name: Rate(self._told[name], self._improved[name], float(success[k]), float(success[k] * size[k]))
            for name, k in self._index.items()
        }

    def _posterior(self) -> tuple[Array, Array]:
        """The parameters of the Beta distributions."""
        # of operators, not of outcomes: or one that fails often would speak for all
        usual = ((self._successes + USUAL) / (self._outcomes + 1)).mean()
        mean, trust = np.full(len(self.operators), usual), np.full(len(self.operators), TRUST)
        for k, prior in self._priors.items():
            mean[k], trust[k] = prior.success, prior.outcomes
        return trust * mean + self._successes, trust * (1 - mean) + self._outcomes - self._successes

    def _sizes(self) -> Array:
        """The log-gain of a success of each; `FULL` for all while there was none."""
        successes = float(self._successes.sum())
        usual = float(self._gains.sum()) / successes if successes > 0 else FULL
        return np.asarray((self._gains + usual) / (self._successes + 1))
