"""Methods of a service that do nothing but run a query and give the list of its rows.

class Database:
    def rows(self, template, values=()):
        found = self._connection().execute(template, values).fetchall()
        return found
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping

from agents.code.transformations.batched_query import Reader

__all__ = ["readers_of"]


def readers_of(files: Mapping[str, str]) -> dict[str, Reader]:
    """By the method's name, where one class alone has such a method; none where a `row_factory` is set anywhere.

    What else the method does with the query's text, such as telling how long it took, it does less often when queries
    are joined; what it does with the rows would be seen, so they may only be returned.
    """
    found: dict[str, list[Reader]] = {}
    for text in files.values():
        if "row_factory" in text:
            return {}
        if "fetchall" in text:
            for reader in _readers(text):
                found.setdefault(reader.name, []).append(reader)
    return {name: readers[0] for name, readers in found.items() if len(readers) == 1}


def _readers(text: str) -> Iterator[Reader]:
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for owner in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        for method in owner.body:
            if isinstance(method, ast.FunctionDef) and not method.decorator_list and _only_reads(method):
                yield Reader(owner.name, method.name)


def _only_reads(method: ast.FunctionDef) -> bool:
    """Two parameters beside `self`, given on to one `execute`, and its rows returned untouched."""
    arguments = method.args
    names = [each.arg for each in arguments.args[1:]]
    if len(names) != 2 or arguments.vararg or arguments.kwarg or arguments.kwonlyargs:
        return False
    runs = [each for each in ast.walk(method) if _runs(each, names)]
    returns = [each for each in ast.walk(method) if isinstance(each, ast.Return)]
    branches = (ast.If, ast.For, ast.While, ast.Try, ast.Yield, ast.YieldFrom, ast.Await, ast.Match)
    if len(runs) != 1 or len(returns) != 1 or any(isinstance(each, branches) for each in ast.walk(method)):
        return False
    value = returns[0].value
    if value is runs[0]:
        return True
    if not isinstance(value, ast.Name):
        return False
    stores = [each for each in ast.walk(method) if isinstance(each, ast.Assign) and _binds(each, value.id)]
    uses = [each for each in ast.walk(method) if isinstance(each, ast.Name) and each.id == value.id]
    return len(stores) == 1 and stores[0].value is runs[0] and len(uses) == 2


def _runs(node: ast.AST, names: list[str]) -> bool:
    """Whether it is `….execute(first, second).fetchall()`."""
    match node:
        case ast.Call(
            func=ast.Attribute(
                attr="fetchall",
                value=ast.Call(func=ast.Attribute(attr="execute"), args=[ast.Name(id=one), ast.Name(id=two)]),
            ),
            args=[],
        ):
            return [one, two] == names
    return False


def _binds(statement: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in statement.targets)
