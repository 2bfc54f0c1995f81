"""Where a change of one Python file comes apart so that any subset of its parts parses: between whole statements.

Statements of a block are aligned; what stands between common ones is a part.  A compound statement whose head both
sides share is entered, and its blocks are split in turn.  The grammar of a block asks only that each statement is one,
so any choice of such replacements is again a program; a part never empties a block, for its other side has statements.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import pairwise

from agents.code.alignment import Change, aligned, changes
from agents.code.lines import indent_of
from agents.code.syntax import first_line
from agents.code.units import Unit, units_of

__all__ = ["statement_changes"]

Block = tuple[Sequence[ast.stmt], int, int]
"""Statements, and the lines from the end of what stands before them to their own end."""


def statement_changes(before: Sequence[str], after: Sequence[str], old: ast.Module, new: ast.Module) -> list[Change]:
    """The smallest replacements of lines, in order.  Both texts end with a newline and have no lone carriage return."""
    return list(_Splitting(before, after).blocks((old.body, 0, len(before)), (new.body, 0, len(after))))


class _Splitting:
    def __init__(self, before: Sequence[str], after: Sequence[str]) -> None:
        self.before, self.after = before, after

    def blocks(self, old: Block, new: Block) -> Iterator[Change]:
        ours, theirs = self._units(self.before, old), self._units(self.after, new)
        texts = [self._texts(self.before, ours), self._texts(self.after, theirs)]
        if not ours or not theirs:
            if self.before[old[1] : old[2]] != self.after[new[1] : new[2]]:
                yield old[1], old[2], new[1], new[2]
            return
        for i1, i2, j1, j2 in changes(*texts):
            yield from self._gap(ours, theirs, (i1, i2, j1, j2))

    def _gap(self, ours: list[Unit], theirs: list[Unit], gap: Change) -> Iterator[Change]:
        """A stretch without a common statement: compound statements with a common head are entered."""
        i1, i2, j1, j2 = gap
        heads = [
            [self._head(lines, unit) or ("no head", f"{side} {unit.start}") for unit in units]  # which matches nothing
            for side, lines, units in (("old", self.before, ours[i1:i2]), ("new", self.after, theirs[j1:j2]))
        ]
        pairs = [(i1 + p, j1 + q) for p, q in aligned(*heads)]
        ends = [(i1 - 1, j1 - 1), *pairs, (i2, j2)]
        for (p, q), (r, s) in pairwise(ends):
            if p >= i1:
                yield from self._compound(ours[p], theirs[q])
            if r > p + 1 or s > q + 1:
                yield _start(ours, p + 1), _start(ours, r), _start(theirs, q + 1), _start(theirs, s)

    def _compound(self, our: Unit, their: Unit) -> Iterator[Change]:
        if self.before[our.start : our.first] != self.after[their.start : their.first]:
            yield our.start, our.first, their.start, their.first
        assert our.node is not None
        assert their.node is not None
        for old, new in zip(_blocks(self.before, our.node), _blocks(self.after, their.node), strict=True):
            yield from self.blocks(old, new)

    def _units(self, lines: Sequence[str], block: Block) -> list[Unit]:
        body, start, end = block
        units = units_of(body, lines, start)
        if units and units[-1].end < end:
            last = units[-1]
            units[-1] = Unit(last.nodes, last.start, last.first, end)
        return units

    def _texts(self, lines: Sequence[str], units: list[Unit]) -> list[str]:
        return ["".join(lines[unit.start : unit.end]) for unit in units]

    def _head(self, lines: Sequence[str], unit: Unit) -> tuple[str, ...] | None:
        """What two compound statements must share to be entered: all lines outside their blocks, and the indentations.

        None for a statement that is not made of blocks on lines of their own.
        """
        if unit.node is None:
            return None
        blocks = _blocks(lines, unit.node)
        if not blocks or unit.node.end_lineno != unit.end:
            return None
        head: list[str] = []
        at = unit.first
        for body, start, end in blocks:
            if start <= at:
                return None
            head += ["".join(lines[at:start]), indent_of(lines[first_line(body[0])])]
            at = end
        return tuple(head)


def _start(units: list[Unit], at: int) -> int:
    return units[at].start if at < len(units) else units[-1].end


def _blocks(lines: Sequence[str], node: ast.stmt) -> list[Block]:
    """The blocks of a compound statement in the order of their lines."""
    blocks: list[Block] = []
    for body in _bodies(lines, node):
        first, end = first_line(body[0]), body[-1].end_lineno or 0
        start = first
        while lines[start - 1].lstrip().startswith("#") or not lines[start - 1].strip():
            start -= 1  # comments above a block's first statement belong to it
        blocks.append((body, start, end))
    return blocks


def _bodies(lines: Sequence[str], node: ast.stmt) -> Iterator[list[ast.stmt]]:
    match node:
        case ast.If(body=body, orelse=[ast.If() as other]) if lines[other.lineno - 1][other.col_offset :].startswith(
            "elif"
        ):
            yield body
            yield from _bodies(lines, other)
        case ast.Try() | ast.TryStar():
            yield node.body
            for handler in node.handlers:
                yield handler.body
            yield from filter(None, (node.orelse, node.finalbody))
        case ast.If() | ast.For() | ast.AsyncFor() | ast.While():
            yield from filter(None, (node.body, node.orelse))
        case ast.With() | ast.AsyncWith() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.body
        case ast.Match():
            for case in node.cases:
                yield case.body
