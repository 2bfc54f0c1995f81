"""A block of Python as units of whole lines: one statement each, with the comments and blank lines above it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from agents.code.syntax import first_line

__all__ = ["Unit", "units_of"]


@dataclass(frozen=True, slots=True)
class Unit:
    """`lines[start:end]`, of which the statement begins at `first`; several statements if they share a line."""

    nodes: tuple[ast.stmt, ...]
    start: int
    first: int
    end: int

    @property
    def node(self) -> ast.stmt | None:
        """The statement, if it is only one."""
        return self.nodes[0] if len(self.nodes) == 1 else None


def units_of(body: Sequence[ast.stmt], lines: Sequence[str], start: int) -> list[Unit]:
    """The units of a block whose lines begin at `start`.  What stands below its last statement is in none."""
    units: list[Unit] = []
    for node in body:
        first, end = first_line(node), node.end_lineno or node.lineno
        last = units[-1] if units else None
        if last and (first < last.end or lines[last.end - 1].rstrip("\r\n").endswith("\\")):
            units[-1] = Unit((*last.nodes, node), last.start, last.first, max(last.end, end))
        else:
            units.append(Unit((node,), last.end if last else start, first, end))
    return units
