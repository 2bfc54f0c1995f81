"""Loops, and what stays the same while they run; where a name is read afterwards."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import is_immutable
from agents.code.transformations.analysis.origins import is_constant_global, is_fresh
from agents.code.transformations.analysis.parsed import Function, ParsedModule
from agents.code.transformations.analysis.purity import purity
from agents.code.transformations.analysis.scopes import Scope
from agents.code.transformations.analysis.uses import MUTATING, use_of

__all__ = [
    "Loop",
    "Stability",
    "functions",
    "guarded",
    "holds_any",
    "is_bound_before",
    "leaves_guard",
    "loops",
    "own_nodes",
    "reaches",
    "read_after",
    "stability",
    "stable",
]

Loop = ast.For | ast.While
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_SUSPENDS = (ast.Await, ast.Yield, ast.YieldFrom, ast.AsyncFor, ast.AsyncWith)


@dataclass(frozen=True)
class Stability:
    """Something stays the same in a region; `assumes` says on what condition, empty when the code proves it."""

    assumes: str = ""


def functions(module: ParsedModule) -> Iterator[Function]:
    """Functions whose names can be followed: none that uses `eval`, `locals` and their like."""
    for node in module.nodes:
        if isinstance(node, Function) and not module.names.own[node].dynamic:
            yield node


def loops(module: ParsedModule) -> Iterator[Loop]:
    """Loops within functions that nothing can interrupt: no `await`, no `yield`."""
    for node in module.nodes:
        if isinstance(node, Loop):
            function = module.function(node)
            if function is not None and not module.names.own[function].dynamic and not holds_any(node, *_SUSPENDS):
                yield node


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Everything within a node, functions and classes defined there left out."""
    todo = [node]
    while todo:
        each = todo.pop()
        yield each
        if each is node or not isinstance(each, _INNER):
            todo += ast.iter_child_nodes(each)


def holds_any(node: ast.AST, *types: type[ast.AST]) -> bool:
    return any(isinstance(each, types) for each in ast.walk(node))


def guarded(module: ParsedModule, statement: ast.stmt) -> bool:
    """Whether what is half done here can be seen after an error: within `try`, or `with` anything but `open`."""
    for each in module.ancestors(statement):
        if isinstance(each, (*_INNER,)):
            return False
        if isinstance(each, ast.Try | ast.TryStar | ast.AsyncWith):
            return True
        if isinstance(each, ast.With) and not all(_opens(module, item.context_expr) for item in each.items):
            return True
    return False


def leaves_guard(module: ParsedModule, node: ast.AST, statement: ast.stmt) -> bool:
    """Whether what fails at a node within a statement may be caught there, and would not be in front of it."""
    for each in module.ancestors(node):
        if each is statement:
            return False
        if isinstance(each, ast.stmt) and guarded(module, each) and not guarded(module, statement):
            return True
        if isinstance(each, ast.Try | ast.TryStar):
            return True
    return False


def _opens(module: ParsedModule, node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    return module.names.is_builtin(node.func, "open") or (
        isinstance(node.func, ast.Attribute) and node.func.attr == "open"
    )


def is_bound_before(module: ParsedModule, scope: Scope, name: str, statement: ast.stmt) -> bool:
    """Whether a local name certainly has a value when `statement` begins."""
    chain = {statement, *module.ancestors(statement)}
    for binding in scope.bindings.get(name, []):
        if isinstance(binding.node, ast.arg):
            return True
        by = binding.by
        if isinstance(by, ast.For | ast.With) and by in chain and by is not statement:
            return True
        if isinstance(by, ast.withitem) and module.parent(by) in chain:
            return True
        if isinstance(by, ast.AnnAssign) and by.value is None:
            continue
        if isinstance(by, ast.Assign | ast.AnnAssign | ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
            block = module.block(by)
            here = next((each for each in block if each in chain), None)
            if here is not None and block.index(by) < block.index(here):
                return True
    return False


def read_after(module: ParsedModule, name: str, statement: ast.stmt) -> bool:
    """Whether the value a name has at the end of `statement` may be read: later, in a next round, by a closure."""
    scope = module.scope(statement).owner
    if name in scope.declared_global or name in scope.declared_nonlocal:
        return True
    inside = set(ast.walk(statement))
    around = [each for each in module.ancestors(statement) if isinstance(each, Loop | ast.AsyncFor)]
    end = module.span(statement)[1]
    for each in module.names.references(scope, name):
        if each in inside or isinstance(each.ctx, ast.Store):
            continue
        if module.scope(each).owner is not scope:
            return True
        later = module.span(each)[0] >= end if not _in_text(module, each) else True
        if (later or any(each in set(ast.walk(loop)) for loop in around)) and not _is_bound_anew(
            module, name, each, statement
        ):
            return True
    return False


def _in_text(module: ParsedModule, node: ast.AST) -> bool:
    return any(isinstance(each, ast.JoinedStr) for each in module.ancestors(node))


def _is_bound_anew(module: ParsedModule, name: str, use: ast.AST, statement: ast.stmt) -> bool:
    """Whether a loop around the use, and not around the statement, gives the name a value first."""
    above = set(module.ancestors(statement))
    child = use
    for each in module.ancestors(use):
        if each in above:
            # within one block: a plain assignment between the two
            return isinstance(child, ast.stmt) and _assigned_between(module, name, child, statement)
        if (
            isinstance(each, ast.For)
            and child in each.body
            and any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(each.target))
        ):
            return True
        child = each
    return False


def _assigned_between(module: ParsedModule, name: str, use: ast.stmt, statement: ast.stmt) -> bool:
    block = module.block(use)
    here = next(
        (i for i, each in enumerate(block) if each is statement or each in set(module.ancestors(statement))), None
    )
    start = 0 if here is None else here + 1
    at = block.index(use)
    if here is not None and at < here:
        start = 0
    for each in block[start:at]:
        if isinstance(each, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in each.targets):
            return True
        if (
            isinstance(each, ast.AnnAssign)
            and each.value
            and isinstance(each.target, ast.Name)
            and each.target.id == name
        ):
            return True
    return False


def stability(module: ParsedModule, name: ast.Name, region: ast.AST) -> Stability | None:
    """Whether the object a name stands for is the same, unchanged, all through `region`; None when it may not be."""
    home = module.names.home(name)
    if home is None:
        return Stability() if module.names.is_builtin(name) else None
    if home is module.names.top:
        return Stability() if is_constant_global(module, name.id) else None
    if not home.is_function or home is not module.scope(region).owner:
        return None
    uses = module.names.references(home, name.id)
    if any(binding.scope.owner is not home for binding in home.bindings[name.id]):
        return None  # rebound by a closure
    inside = set(ast.walk(region))
    if any(binding.node in inside for binding in home.bindings[name.id]):
        return None
    if is_immutable(kind_of(module, name)):
        kind = kind_of(module, name)
        return Stability() if kind and kind.sure else Stability("annotations are true")
    here = [use_of(module, each) for each in uses if each in inside]
    if any(use not in ("read", "return") for use in here):
        return None
    if any(module.scope(each).owner is not home for each in uses):
        return None  # a closure holds it
    given = [each for each in uses if use_of(module, each) == "alias"]
    if any(not _is_argument(module, each) for each in given):
        return None  # another name or container holds it
    own = all(isinstance(each.by, ast.Assign) and is_fresh(module, each.by.value) for each in home.bindings[name.id])
    return Stability("" if own and not given else f"nothing else changes `{name.id}` while the loop runs")


def _is_argument(module: ParsedModule, name: ast.Name) -> bool:
    return isinstance(module.parent(name), ast.Call | ast.keyword | ast.Starred)


def reaches(module: ParsedModule, region: ast.AST) -> bool:
    """Whether something changes in a region that others may hold: all but the new containers of the function."""
    for each in ast.walk(region):
        owner: ast.AST | None = None
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in MUTATING:
            owner = each.func.value
        elif isinstance(each, ast.Subscript | ast.Attribute) and not isinstance(each.ctx, ast.Load):
            owner = each.value
        if owner is None:
            continue
        if not isinstance(owner, ast.Name):
            return True
        bound = module.names.bindings(owner)
        own = all(isinstance(one.by, ast.Assign) and is_fresh(module, one.by.value) for one in bound)
        held = module.names.references(module.names.home(owner), owner.id)
        if not bound or not own or any(use_of(module, one) == "alias" for one in held):
            return True
    return False


def stable(module: ParsedModule, node: ast.expr, region: ast.AST) -> Stability | None:
    """Whether an expression gives the same at every place of a region: pure, of names that stay the same."""
    if not purity(module).expression(node):
        return None
    assumes: set[str] = set()
    inner = {scope for each in ast.walk(node) if (scope := module.names.own.get(each))}
    for each in ast.walk(node):
        call = module.parent(each)
        if isinstance(each, ast.Attribute) and not (isinstance(call, ast.Call) and call.func is each):
            return None  # a property may give something else each time
        if isinstance(each, ast.Subscript) and not is_immutable(kind_of(module, each)) and reaches(module, region):
            return None  # the item itself may change
        if isinstance(each, ast.Name) and module.names.home(each) not in inner:
            found = stability(module, each, region)
            if found is None:
                return None
            assumes |= {found.assumes} - {""}
    return Stability("; ".join(sorted(part for each in assumes for part in each.split("; "))))
