"""An archive of diverse elites: in every cell of a grid over what candidates are like, the best one that came.

A cell keeps its best: MAP-Elites, Mouret & Clune 2015.  Learned edges lie at quantiles of what was told, and are
learned again whenever the number of candidates has doubled: after the sliding boundaries of Fontaine et al. 2019.
With E elites, telling costs O(E); learning costs O(log N) a candidate on average.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from search.grid import Axis, Cell, Grid
from search.parenthood import Crowd, complement_weights, draw, parent_weights

__all__ = ["Archive", "Candidate", "Elite", "Status"]

Status = Literal["new", "improved", "rejected"]
"""Of a candidate told: it fills an empty cell, it takes the place of a worse one, or neither."""

TRIES = 50
"""Draws of a partner before one is taken however many places both have touched."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the archive is told of a candidate.

    `score`: None when it failed; it then only counts as a child of its parents.  `values`: one number per axis.
    `novelty` ≥ 0: what is known of it besides the grid, such as one minus the similarity of its text to the nearest
    other.  `touched`: names of the places it changes, such as functions or files.
    """

    id: str
    score: float | None
    values: Mapping[str, float]
    novelty: float = 0.0
    operator: str = ""
    parents: tuple[str, ...] = ()
    touched: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Elite:
    """The best of its cell.  `novelty`: distance in the grid plus what was told; `children`: made from it so far."""

    candidate: Candidate
    score: float
    cell: Cell
    novelty: float
    children: int

    @property
    def id(self) -> str:
        return self.candidate.id


class Archive:
    """The elites of everything told so far: a function of what was told and its order, and of nothing else.

    With given edges the order matters only between candidates of equal score: the first one stays.  Learned edges
    come from all candidates told when their number last doubled; every cell is then filled anew from all of them, so
    that none is lost that is the best of the cell it now falls into.
    """

    def __init__(self, *axes: Axis) -> None:
        """Raises ConfigError for no axis, or two of one name."""
        self.grid = Grid(axes)
        self._told: set[str] = set()
        self._scored: list[tuple[Candidate, float, tuple[float, ...]]] = []
        self._children: dict[str, int] = defaultdict(int)
        self._operators: dict[str, int] = {}
        self._learn_at = 2
        self._fill()

    def __len__(self) -> int:
        """The number of elites."""
        return len(self._elites)

    def __contains__(self, candidate_id: object) -> bool:
        """Whether this candidate was told, elite or not."""
        return candidate_id in self._told

    # ---------------------------------------------------------------------- told
    def add(self, candidate: Candidate) -> Status:
        """Tell of a candidate; one told before changes nothing.

        Raises ValueError for a score, value or novelty that is not finite, or when the value of an axis is missing.
        """
        if candidate.id in self._told:
            return "rejected"
        score = candidate.score
        if score is None:
            self._note(candidate)
            return "rejected"
        if not math.isfinite(score) or not 0 <= candidate.novelty < math.inf:
            raise ValueError(f"candidate {candidate.id!r} has score {score} and novelty {candidate.novelty}")
        row = self.grid.row(candidate.values)
        self._note(candidate)
        self._scored.append((candidate, score, row))
        if self.grid.learns and len(self._scored) >= self._learn_at:
            self._learn_at *= 2
            return self.learn()
        return self._place(candidate, score, row)

    def learn(self) -> Status:
        """Take the edges of the learned axes from all candidates told, and fill the cells anew.

        Answers what that makes of the last candidate.
        """
        if self._scored:
            self.grid = self.grid.learned([row for _, _, row in self._scored])
        return self._fill()

    # --------------------------------------------------------------------- asked
    def elites(self) -> list[Elite]:
        """The best of every cell that is not empty, in the order in which the cells were filled."""
        return [self._elite(slot) for slot in range(len(self))]

    @property
    def best(self) -> Elite | None:
        """The elite of the highest score, the first told of equals; None while there is none."""
        return self._elite(self._first_best) if self._elites else None

    def parents(self, rng: np.random.Generator, n: int, in_flight: Sequence[str] = ()) -> list[Elite]:
        """`n` elites to make candidates from, by quality, novelty and few children; one may come more than once.

        `in_flight`: a parent's id for each child that is on its way: it counts as made.  None while there is no elite.
        """
        coming = self._coming(in_flight)
        chosen = []
        for _ in range(n if len(self) else 0):
            slot = draw(parent_weights(self._crowd, coming), rng)
            coming[slot] += 1  # or one call would ask the same elite for everything
            chosen.append(self._elite(slot))
        return chosen

    def inspirations(
        self, rng: np.random.Generator, n: int, of: str | None = None, in_flight: Sequence[str] = ()
    ) -> list[tuple[Elite, Elite]]:
        """`n` pairs to recombine: the first chosen as a parent (or the elite `of`), the second to complement it.

        The second lies in another cell, comes from another operator where there is such an elite, and is the likelier
        the farther its cell is and the fewer places both have touched.  None with fewer than two elites.  Raises
        KeyError when `of` is no elite now.
        """
        if of is not None and of not in self._slots:
            raise KeyError(of)
        coming = self._coming(in_flight)
        pairs = []
        for _ in range(n if len(self) > 1 else 0):
            weights = parent_weights(self._crowd, coming)
            first = draw(weights, rng) if of is None else self._slots[of]
            weights = complement_weights(weights, self._crowd, first)
            for _ in range(TRIES):
                second = draw(weights, rng)
                shared = len(self._elites[first].touched & self._elites[second].touched)
                if rng.random() * (1 + shared) < 1:
                    break
            coming[[first, second]] += 1
            pairs.append((self._elite(first), self._elite(second)))
        return pairs

    # --------------------------------------------------------------------- parts
    def _coming(self, in_flight: Sequence[str]) -> npt.NDArray[np.float64]:
        """The children on their way, by slot."""
        coming = np.zeros(len(self))
        for parent in in_flight:
            if (slot := self._slots.get(parent)) is not None:
                coming[slot] += 1
        return coming

    def _note(self, candidate: Candidate) -> None:
        self._told.add(candidate.id)
        for parent in set(candidate.parents):
            self._children[parent] += 1
            if (slot := self._slots.get(parent)) is not None:
                self._crowd.children[slot] += 1

    def _fill(self) -> Status:
        self._elites: list[Candidate] = []
        self._cells: dict[Cell, int] = {}
        self._slots: dict[str, int] = {}
        self._crowd = Crowd(len(self.grid.axes))
        self._first_best = 0
        status: Status = "rejected"
        for told in self._scored:
            status = self._place(*told)
        return status

    def _place(self, candidate: Candidate, score: float, row: tuple[float, ...]) -> Status:
        cell = self.grid.cell(row)
        slot = self._cells.get(cell)
        status: Status = "improved"
        if slot is None:
            status, slot = "new", len(self._elites)
            self._cells[cell] = slot
            self._elites.append(candidate)
            self._crowd.join(self.grid.point(cell))
        elif score <= self._crowd.scores[slot]:
            return "rejected"
        else:
            del self._slots[self._elites[slot].id]
            self._elites[slot] = candidate
        self._slots[candidate.id] = slot
        operator = self._operators.setdefault(candidate.operator, len(self._operators))
        self._crowd.settle(slot, score, candidate.novelty, self._children.get(candidate.id, 0), operator)
        if score > self._crowd.scores[self._first_best]:
            self._first_best = slot
        return status

    def _elite(self, slot: int) -> Elite:
        candidate, crowd = self._elites[slot], self._crowd
        return Elite(
            candidate=candidate,
            score=float(crowd.scores[slot]),
            cell=self.grid.cell(self.grid.row(candidate.values)),
            novelty=float(crowd.distance[slot] + crowd.told[slot]),
            children=self._children.get(candidate.id, 0),
        )
