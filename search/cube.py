"""Many configurations at once, as rows of the unit cube: the arithmetic form of `Space`.

Notation: U (m, d) rows in [0, 1]; a row is *snapped* when ints and options sit in the middle of their share and
inactive parameters at ½, so that equal configurations are equal rows.

Features for kernels: Z (m, p).  A number is one column; a choice of k options is k one-hot columns of height 1/√2,
so that two different options are at squared distance 1; a list of items is one column an item, of the same height.
`group` (p,) names the parameter of each column.
An inactive number sits at ½: two configurations that both lack it do not differ in it, and the difference between
having and lacking it is carried by the parent's one-hot columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from search.parameters import Choice, Float, Int, Subset
from search.space import Config, Space

__all__ = ["Cube"]

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class Cube:
    """The vectorised view of a space.  All methods take and give arrays of rows, shape (m, d)."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.d = len(space)
        parameters = [space[name] for name in space]
        self.choice: Mask = np.array([isinstance(p, Choice) for p in parameters])
        self.whole: Mask = np.array([isinstance(p, Int) for p in parameters])
        self.levels = np.array([_levels(p) for p in parameters])  # 0: continuous
        columns = {name: j for j, name in enumerate(space)}
        self._rules: list[tuple[int, list[tuple[int, Array]]]] = []
        for j, p in enumerate(parameters):
            rules = []
            for parent, values in p.when.items():
                other = space[parent]
                rules.append((columns[parent], np.array([other.to_unit(v) for v in values])))
            if rules:
                self._rules.append((j, rules))
        self.group = np.concatenate([np.full(p_width(p), j) for j, p in enumerate(parameters)])
        self._parameters = parameters

    def active(self, U: Array) -> Mask:
        """Which parameters exist in each snapped row, shape (m, d)."""
        out = np.ones(U.shape, dtype=bool)
        for j, rules in self._rules:
            for parent, places in rules:
                out[:, j] &= out[:, parent] & (np.abs(U[:, parent, None] - places) < 1e-9).any(axis=1)
        return out

    def rounded(self, U: Array) -> Array:
        """Every coordinate in the middle of its share, whether or not its parameter is active."""
        V: Array = np.clip(U, 0.0, 1.0)
        for j, p in enumerate(self._parameters):
            if isinstance(p, Choice):
                k = len(p.options)
                V[:, j] = (np.minimum(np.floor(V[:, j] * k), k - 1) + 0.5) / k
            elif isinstance(p, Int):
                low, high = p.edges
                s = low + V[:, j] * (high - low)
                v = np.clip(np.floor((np.exp(s) if p.log else s) + 0.5), p.low, p.high)
                V[:, j] = ((np.log(v) if p.log else v) - low) / (high - low)
        return V

    def snap(self, U: Array) -> Array:
        """The rows of the configurations that `U` decodes to."""
        V = self.rounded(U)
        if self._rules:
            V[~self.active(V)] = 0.5
        return V

    def sample(self, m: int, rng: np.random.Generator) -> Array:
        """`m` snapped rows drawn uniformly."""
        return self.snap(rng.random((m, self.d)))

    def rows(self, configs: Iterable[Mapping[str, Any]]) -> Array:
        """Snapped rows of configurations, shape (m, d)."""
        rows = [self.space.encode(c) for c in configs]
        return np.array(rows).reshape(len(rows), self.d)

    def config(self, u: Array) -> Config:
        return self.space.decode(u)

    def features(self, U: Array) -> Array:
        """Kernel features of snapped rows, shape (m, p)."""
        columns: list[Array] = []
        for j, p in enumerate(self._parameters):
            if isinstance(p, Subset):
                k = len(p.options)
                has = np.array([[item in option for item in p.items] for option in p.options], dtype=float)
                hot = np.sqrt(0.5) * has[np.clip(np.floor(U[:, j] * k).astype(int), 0, k - 1)]
                if p.when:
                    hot[~self.active(U)[:, j]] = np.sqrt(0.5) / 2
                columns.append(hot)
            elif isinstance(p, Choice):
                k = len(p.options)
                i = np.floor(U[:, j] * k).astype(int)
                hot = np.zeros((len(U), k))
                hot[np.arange(len(U)), np.clip(i, 0, k - 1)] = np.sqrt(0.5)
                if p.when:
                    hot[~self.active(U)[:, j]] = np.sqrt(0.5) / k
                columns.append(hot)
            else:
                columns.append(U[:, j : j + 1])
        return np.concatenate(columns, axis=1)


def p_width(parameter: Float | Int | Choice) -> int:
    """The number of feature columns of a parameter."""
    if isinstance(parameter, Subset):
        return len(parameter.items)
    return len(parameter.options) if isinstance(parameter, Choice) else 1


def _levels(parameter: Float | Int | Choice) -> int:
    if isinstance(parameter, Choice):
        return len(parameter.options)
    return parameter.high - parameter.low + 1 if isinstance(parameter, Int) else 0
