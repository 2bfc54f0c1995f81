"""A box in a space: what is left of it when numbers are bounded and options excluded, and how a search stays inside.

Notation: u ∈ [0, 1] is a coordinate of the unit cube (`search.parameters`).  Inside the box it is mapped to

    number   a + u (b − a) with [a, b] the share of the interval that is left
    choice   option ⌊u k⌋ of the k that are left

so that what covers the cube evenly covers the box evenly.  A coordinate outside is moved to the nearest end; an
excluded option to one that is left.  A parameter that is not active in a configuration is outside of nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from search.cube import Cube
from search.parameters import Choice, Float, Int, Parameter, same
from search.space import Config, Space

__all__ = ["Box", "BoxedCube"]

Array = npt.NDArray[np.float64]
INWARD = 1e-12
"""How far the ends are moved inside: a logarithm and its exponential do not give back the last digit."""


@dataclass(frozen=True)
class Box:
    """`bounds` are (low, high) by name, ends included, None where open; `excluded` options by name."""

    space: Space
    bounds: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    excluded: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that are narrowed."""
        return tuple(dict.fromkeys([*self.bounds, *self.excluded]))

    @cached_property
    def empty(self) -> str:
        """The first parameter of which nothing is left; empty when there is none."""
        return next((name for name in self.names if not self._left(name)), "")

    def contains(self, config: Mapping[str, Any]) -> bool:
        return all(self._holds(name, config[name]) for name in self.names if name in config)

    def place(self, u: Sequence[float] | Array) -> Config:
        """The configuration of the box at `u`, shape (len(space),): even over the box where `u` is over the cube."""
        return self.settle(self.space.decode(self.placed(np.asarray(u, dtype=float)[None])[0]))

    def value(self, name: str, u: float) -> Any:
        """The value of one number at `u` of what is left of it."""
        row = np.full((1, len(self.space)), 0.5)
        column = self.space.names.index(name)
        row[0, column] = u
        return self._inside(name, self.space[name].from_unit(float(self.placed(row)[0, column])))

    def placed(self, U: Array) -> Array:
        """Rows (m, d) of the unit cube as rows of the box."""
        V: Array = np.clip(U, 0.0, 1.0)
        for j, name, parameter in self._columns:
            if isinstance(parameter, Choice):
                left = np.array(self._left(name))
                k = len(left)
                index = left[np.minimum(np.floor(V[:, j] * k).astype(int), k - 1)]
                V[:, j] = (index + 0.5) / len(parameter.options)
            else:
                a, b = self._share(name)
                V[:, j] = a + V[:, j] * (b - a)
        return V

    def confined(self, U: Array) -> Array:
        """Rows (m, d) with every coordinate that lies outside moved to the nearest place inside."""
        V: Array = np.clip(U, 0.0, 1.0)
        for j, name, parameter in self._columns:
            if isinstance(parameter, Choice):
                k, left = len(parameter.options), self._left(name)
                index = np.minimum(np.floor(V[:, j] * k).astype(int), k - 1)
                moved = np.array([i if i in left else left[i % len(left)] for i in range(k)])[index]
                V[:, j] = (moved + 0.5) / k
            else:
                V[:, j] = np.clip(V[:, j], *self._share(name))
        return V

    def settle(self, config: Mapping[str, Any]) -> Config:
        """The configuration with what lies outside moved inside; what a new option brings along at its default."""
        out = dict(config)
        for _ in self.space:  # a new option may bring along a parameter that is narrowed too
            moved = {name: self._inside(name, value) for name, value in out.items()}
            if moved == out:
                break
            out = self.space.completed(moved)
        return out

    # --------------------------------------------------------------------- parts
    @cached_property
    def _columns(self) -> list[tuple[int, str, Parameter]]:
        return [(j, name, self.space[name]) for j, name in enumerate(self.space) if name in self.names]

    def _holds(self, name: str, value: Any) -> bool:
        if any(same(value, option) for option in self.excluded.get(name, ())):
            return False
        low, high = self.bounds.get(name, (None, None))
        return (low is None or value >= low) and (high is None or value <= high)

    def _inside(self, name: str, value: Any) -> Any:
        """The value, or the nearest one that is left."""
        if name not in self.names or self._holds(name, value):
            return value
        parameter = self.space[name]
        if isinstance(parameter, Choice):
            left = self._left(name)
            return parameter.options[left[parameter.index(value) % len(left)]]
        low, high = self._ends(name)
        inside = min(max(value, low), high)
        return inside if self._holds(name, inside) else low

    def _left(self, name: str) -> list[int]:
        """Indices of the options that are left, or the whole numbers; of a float anything that tells it from empty."""
        parameter = self.space[name]
        if isinstance(parameter, Choice):
            return [i for i, option in enumerate(parameter.options) if self._holds(name, option)]
        low, high = self._ends(name)
        if isinstance(parameter, Int):
            return [v for v in (int(low), int(high)) if low <= high]
        return [0] if low <= high else []

    def _ends(self, name: str) -> tuple[Any, Any]:
        """The smallest and the largest number that are left."""
        parameter = self.space[name]
        assert isinstance(parameter, Float | Int)
        low, high = self.bounds.get(name, (None, None))
        least = parameter.low if low is None else max(low, parameter.low)
        most = parameter.high if high is None else min(high, parameter.high)
        if isinstance(parameter, Int):
            least, most = math.ceil(least), math.floor(most)
            out = [v for v in self.excluded.get(name, ()) if isinstance(v, int)]
            while least <= most and least in out:
                least += 1
            while most >= least and most in out:
                most -= 1
        return least, most

    def _share(self, name: str) -> tuple[float, float]:
        """The ends of what is left in the unit interval."""
        parameter = self.space[name]
        low, high = self._ends(name)
        if isinstance(parameter, Int):
            first, last = parameter.edges
            ends = (low - 0.5, high + 0.5)
            a, b = ((math.log(v) if parameter.log else v) for v in ends)
            a, b = (a - first) / (last - first), (b - first) / (last - first)
        else:
            assert isinstance(parameter, Float)
            a, b = parameter.to_unit(low), parameter.to_unit(high)
        inward = min(INWARD, (b - a) / 2)
        return max(a + inward, 0.0), min(b - inward, 1.0)


class BoxedCube(Cube):
    """The vectorised view of a space whose rows are all drawn and kept inside a box."""

    def __init__(self, box: Box) -> None:
        super().__init__(box.space)
        self.box = box

    def snap(self, U: Array) -> Array:
        return super().snap(self.box.confined(U))

    def sample(self, m: int, rng: np.random.Generator) -> Array:
        return super().snap(self.box.placed(rng.random((m, self.d))))

    def inside(self, U: Array) -> npt.NDArray[np.bool_]:
        """Which snapped rows lie in the box, shape (m,); coordinates of inactive parameters say nothing."""
        held = np.isclose(self.box.confined(U), U, atol=1e-9) | ~self.active(U)
        return np.asarray(held.all(axis=1))
