"""A grid over what candidates are like: axes cut into bins, with edges given or learned from what was seen."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import ConfigError

__all__ = ["Axis", "Cell", "Grid"]

Cell = tuple[int, ...]
MOST_BINS = 64


@dataclass(frozen=True, slots=True)
class Axis:
    """One measure of a candidate.  A value v falls into bin number #{edges ≤ v}.

    With `bins` the edges are learned; until there are two different values, there is one bin.  Raises ConfigError.
    """

    name: str
    bins: int = 0
    edges: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        wrong = ""
        if self.bins and not 2 <= self.bins <= MOST_BINS:
            wrong = f"{self.bins} bins"
        elif not self.bins and not self.edges:
            wrong = "neither bins nor edges"
        elif not all(map(math.isfinite, self.edges)) or any(
            a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)
        ):
            wrong = f"edges {list(self.edges)}"
        if wrong:
            raise ConfigError(
                f"axis {self.name!r} has {wrong}",
                where="archive",
                hint=f"give a number of bins, 2 to {MOST_BINS}, or increasing edges",
            )

    def learned(self, values: Sequence[float]) -> Axis:
        """The axis with its edges at quantiles of the different values; one with given edges stays as it is.

        Different values and not all of them: counts such as imports would else put every edge on the commonest one.
        """
        if not self.bins:
            return self
        seen = np.unique(np.asarray(values, dtype=float))
        if len(seen) <= self.bins:
            # halved before they are added: the sum of two large floats may be infinite
            edges = seen[:-1] / 2 + seen[1:] / 2
        else:
            edges = np.quantile(seen, np.arange(1, self.bins) / self.bins)
        return replace(self, edges=tuple(float(e) for e in np.unique(edges)))


class Grid:
    """Axes of different names, at least one."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        """Raises ConfigError."""
        names = [axis.name for axis in axes]
        if not names or len(set(names)) < len(names):
            raise ConfigError(
                f"the axes are {names}", where="archive", hint="name at least one measure, and none of them twice"
            )
        self.axes = tuple(axes)
        self.learns = any(axis.bins for axis in axes)

    def row(self, values: Mapping[str, float]) -> tuple[float, ...]:
        """The values in the order of the axes.  Raises ValueError for one that is missing or not finite."""
        row = tuple(float(values.get(axis.name, math.nan)) for axis in self.axes)
        if not all(map(math.isfinite, row)):
            wrong = {
                axis.name: values.get(axis.name) for axis, v in zip(self.axes, row, strict=True) if not math.isfinite(v)
            }
            raise ValueError(f"an axis needs a finite number: {wrong}")
        return row

    def cell(self, row: Sequence[float]) -> Cell:
        return tuple(bisect_right(axis.edges, value) for axis, value in zip(self.axes, row, strict=True))

    def point(self, cell: Cell) -> tuple[float, ...]:
        """The cell's place in the unit cube: its first bin is 0 and its last one is 1 on every axis."""
        return tuple(i / len(axis.edges) if axis.edges else 0.0 for i, axis in zip(cell, self.axes, strict=True))

    def learned(self, rows: Sequence[Sequence[float]]) -> Grid:
        """The grid with its learned axes as the rows say; there is at least one row."""
        columns = zip(*rows, strict=True)
        return Grid([axis.learned(column) for axis, column in zip(self.axes, columns, strict=True)])
