"""Whether everybody who uses a file can go on: its public names are there, and every call that fitted still fits."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from core.drafts import CheckFault

__all__ = ["interface_faults"]

Function = ast.FunctionDef | ast.AsyncFunctionDef


class _Parameters(NamedTuple):
    """Names by how they may be given; those with a default are in `optional`."""

    positional: tuple[str, ...]
    only_positional: int
    keyword: frozenset[str]
    optional: frozenset[str]
    stars: frozenset[str]
    waits: bool
    kinds: frozenset[str]


def interface_faults(before: Mapping[str, str], after: Mapping[str, str]) -> list[CheckFault]:
    """Public names of modules and classes that are gone, and functions that take less than before.

    Both are path → text; that of `after` parses.  What begins with one underscore is
    nobody else's.
    """
    faults = []
    for path, text in after.items():
        try:
            old = ast.parse(before.get(path, ""))
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # then nobody can use it
            continue
        new = ast.parse(text)
        open_module = any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in new.body)
        for name, line, why in _gone(old, new, ""):
            if not open_module or "." in name:
                faults.append(CheckFault(check="interface", path=path, line=line, text=f"{name} {why}"))
    return faults


def _gone(
    old: ast.Module | ast.ClassDef, new: ast.Module | ast.ClassDef, prefix: str
) -> Iterator[tuple[str, int, str]]:
    here = {node.name: node for node in _definitions(new)}
    names = set(here) | _bound(new) | _imported(new)
    inherits = isinstance(new, ast.ClassDef) and bool(new.bases)
    for name in sorted(_bound(old) - names):
        if _is_public(name) and not inherits:
            yield f"{prefix}{name}", 0, "is gone, and others may use it"
    for node in _definitions(old):
        if not _is_public(node.name):
            continue
        found = here.get(node.name)
        if found is None:
            if node.name not in names and not inherits:
                yield f"{prefix}{node.name}", 0, "is gone, and others may use it"
        elif isinstance(node, ast.ClassDef) and isinstance(found, ast.ClassDef):
            yield from _gone(node, found, f"{prefix}{node.name}.")
        elif isinstance(node, Function) and isinstance(found, Function):
            if why := _takes_less(_parameters(node), _parameters(found)):
                yield f"{prefix}{node.name}", found.lineno, why
        elif isinstance(node, Function) != isinstance(found, Function):
            yield f"{prefix}{node.name}", found.lineno, "is a class no more, or a function no more"


def _is_public(name: str) -> bool:
    return not name.startswith("_") or (name.startswith("__") and name.endswith("__") and name not in ("__slots__",))


def _definitions(owner: ast.Module | ast.ClassDef) -> Iterator[Function | ast.ClassDef]:
    yield from (node for node in owner.body if isinstance(node, Function | ast.ClassDef))


def _bound(owner: ast.Module | ast.ClassDef) -> set[str]:
    """Names that the body binds, within `if` and `try` too; imports left out, as these are somebody else's."""
    names: set[str] = set()
    todo: list[ast.AST] = [*owner.body]
    while todo:
        node = todo.pop()
        if isinstance(node, Function | ast.ClassDef | ast.Lambda | ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        if not isinstance(node, ast.comprehension | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            todo += ast.iter_child_nodes(node)
    return names


def _imported(owner: ast.Module | ast.ClassDef) -> set[str]:
    imports = (node for node in owner.body if isinstance(node, ast.Import | ast.ImportFrom))
    return {alias.asname or alias.name.split(".")[0] for node in imports for alias in node.names}


def _parameters(node: Function) -> _Parameters:
    taken = node.args
    positional = [*taken.posonlyargs, *taken.args]
    optional = {each.arg for each in positional[len(positional) - len(taken.defaults) :]} if taken.defaults else set()
    optional |= {each.arg for each, default in zip(taken.kwonlyargs, taken.kw_defaults, strict=True) if default}
    kinds = {"staticmethod", "classmethod", "property"} & {
        each.id for each in node.decorator_list if isinstance(each, ast.Name)
    }
    return _Parameters(
        positional=tuple(each.arg for each in positional),
        only_positional=len(taken.posonlyargs),
        keyword=frozenset(each.arg for each in taken.kwonlyargs),
        optional=frozenset(optional),
        stars=frozenset(star for star, each in (("*", taken.vararg), ("**", taken.kwarg)) if each),
        waits=isinstance(node, ast.AsyncFunctionDef),
        kinds=frozenset(kinds),
    )


def _takes_less(old: _Parameters, new: _Parameters) -> str:
    """Why a call that fitted may fit no more; empty when every one does."""
    if old.waits != new.waits or old.kinds != new.kinds:
        return "is called in another way than before"
    if new.positional[: len(old.positional)] != old.positional or new.only_positional > old.only_positional:
        return "takes other positional parameters than before"
    if not old.keyword <= new.keyword | set(new.positional) or not old.stars <= new.stars:
        return "takes fewer parameters than before"
    needed = (set(new.positional) | new.keyword) - new.optional
    if more := needed - ((set(old.positional) | old.keyword) - old.optional):
        return f"needs {', '.join(sorted(more))}, which callers do not give"
    return ""
