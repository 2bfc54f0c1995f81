"""Cyclomatic complexity of the functions that are new or changed."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from core.complexity import function_complexities
from core.drafts import CheckFault

__all__ = ["Complexities", "changed_complexities"]


@dataclass(frozen=True)
class Complexities:
    """`faults` are new or grew; `known` were as complex before.  `hardest` is of changed functions, 0 without any."""

    faults: tuple[CheckFault, ...]
    known: tuple[CheckFault, ...]
    hardest: int
    grown: int
    """The largest growth of one function; a new one grows from 1."""


def changed_complexities(before: Mapping[str, str], after: Mapping[str, str], most: int) -> Complexities:
    """The functions of files that parse, path → text, that differ from those before; at `most` they are too complex."""
    faults, known = list[CheckFault](), list[CheckFault]()
    hardest = grown = 0
    for path, text in after.items():
        old = before.get(path, "")
        counts_before = function_complexities(old)
        same = _bodies(old)
        bodies = _bodies(text)
        for name, (count, line) in function_complexities(text).items():
            if bodies.get(name) == same.get(name):
                continue
            was = counts_before.get(name, (1, 0))[0]
            hardest, grown = max(hardest, count), max(grown, count - was)
            if count >= most:
                fault = CheckFault(
                    check="complexity",
                    path=path,
                    line=line,
                    text=f"{name} has complexity {count}, must be below {most}",
                )
                (faults if count > was else known).append(fault)
    return Complexities(tuple(faults), tuple(known), hardest, grown)


def _bodies(text: str) -> dict[str, list[str]]:
    """Qualified name → the code of the functions of that name, whatever its layout."""
    found: dict[str, list[str]] = {}
    stack: list[tuple[ast.AST, str]] = [(ast.parse(text), "")]
    while stack:
        node, name = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{name}.{node.name}" if name else node.name
            if not isinstance(node, ast.ClassDef):
                found.setdefault(name, []).append(ast.dump(node))
        stack.extend((child, name) for child in ast.iter_child_nodes(node))
    return found
