"""McCabe's cyclomatic complexity, counted in one way for everything that judges code.

One for each function, lambda and the module, one more for each branch, loop, handler, `case` that is not the last
resort, `and`, `or`, and each `for` and `if` of a comprehension.  McCabe 1976.
"""

from __future__ import annotations

import ast
import warnings

__all__ = ["FUNCTIONS", "decisions", "function_complexities"]

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def decisions(node: ast.AST) -> int:
    """By how many paths one node makes more of them, its children left out."""
    match node:
        case ast.If() | ast.IfExp() | ast.For() | ast.AsyncFor() | ast.While() | ast.ExceptHandler():
            return 1
        case ast.BoolOp():
            return len(node.values) - 1
        case ast.comprehension():
            return 1 + len(node.ifs)
        case ast.match_case(pattern=ast.MatchAs(pattern=None), guard=None):
            return 0
        case ast.match_case():
            return 1
        case _:
            return 0


def function_complexities(text: str) -> dict[str, tuple[int, int]]:
    """Qualified name → (complexity, line) of every function; lambdas count to nobody, inner functions for themselves.

    Of several functions with one name, the most complex.  Raises ValueError for a text that is not Python.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"this is not Python that can be read: {error}") from error
    found: dict[str, tuple[int, int]] = {}
    stack: list[tuple[ast.AST, str, list[int]]] = [(tree, "", [1])]
    owners: list[tuple[str, int, list[int]]] = []
    while stack:
        node, name, count = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{name}.{node.name}" if name else node.name
        if isinstance(node, FUNCTIONS):
            count = [1]
            if not isinstance(node, ast.Lambda):
                owners.append((name, node.lineno, count))
        count[0] += decisions(node)
        stack.extend((child, name, count) for child in ast.iter_child_nodes(node))
    for name, line, count in owners:
        if count[0] > found.get(name, (0, 0))[0]:
            found[name] = (count[0], line)
    return found
