"""How a name is used, one place at a time: whether the object behind it is only read, changed, or given away."""

from __future__ import annotations

import ast
from typing import Literal

from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.kinds import READING, STR_RESULTS
from agents.code.transformations.analysis.parsed import ParsedModule

__all__ = ["GROWING", "MUTATING", "Use", "is_own_method", "use_of", "use_of_value"]

Use = Literal["read", "grow", "change", "alias", "return", "rebind"]
"""`grow` adds elements by a method of list, set, deque or dict; `alias` gives the object to somebody else."""

GROWING = frozenset({"append", "add", "insert", "extend", "appendleft", "extendleft"})
MUTATING = GROWING | frozenset(
    [
        "remove", "pop", "popitem", "popleft", "clear", "update", "setdefault", "discard", "sort", "reverse", "rotate",
        "difference_update", "intersection_update", "symmetric_difference_update", "subtract", "move_to_end"
    ]
)  # fmt: skip
_READ_METHODS = frozenset().union(*READING.values()) | frozenset(STR_RESULTS)
_CONSUMERS = frozenset(
    [
        "len", "sum", "min", "max", "any", "all", "sorted", "list", "tuple", "set", "frozenset", "dict", "range",
        "abs", "round", "int", "float", "str", "repr", "bool", "isinstance", "ord", "chr", "divmod", "print",
        "hash", "type", "id", "format", "bytes", "pow", "hex", "bin"
    ]
)  # fmt: skip
"""Builtins that read their arguments and keep none of them."""
_TAKING_ELEMENTS = frozenset({"extend", "update", "join", "union", "intersection", "difference"})
_LAZY = ("enumerate", "filter", "iter", "map", "reversed", "zip")
_PURE_CALLS = frozenset(
    [
        "collections.Counter", "collections.deque", "heapq.nsmallest", "heapq.nlargest", "bisect.bisect",
        "bisect.bisect_left", "bisect.bisect_right", "json.dumps", "statistics.mean", "statistics.median",
        "statistics.stdev", "statistics.pstdev", "math.fsum", "math.prod", "random.choice", "random.sample"
    ]
)  # fmt: skip
"""Functions of the standard library that read a container and keep no hand on it that writes."""


def use_of(module: ParsedModule, name: ast.Name) -> Use:
    """What happens at one place to the object a name stands for."""
    if not isinstance(name.ctx, ast.Load):
        return "rebind"
    parent = module.parent(name)
    if isinstance(parent, ast.AugAssign) and parent.target is name:
        return "rebind"
    return use_of_value(module, name)


def use_of_value(module: ParsedModule, node: ast.expr) -> Use:
    """What happens to the value of an expression where it stands."""
    parent = module.parent(node)
    match parent:
        case ast.Attribute():
            return _attribute_use(module, parent)
        case ast.Subscript(value=value) if value is node:
            return "read" if isinstance(parent.ctx, ast.Load) else "change"
        case ast.Subscript(ctx=ctx) if isinstance(ctx, ast.Load):
            return "read"
        case ast.Call(func=func) if node is not func and _is_lazy(module, func):
            return use_of_value(module, parent)  # it goes on reading for as long as it lives
        case ast.Call(func=func):
            if node is func:
                return "read"
            return "read" if _reads(module, func) and not _may_give_back(module, parent, node) else "alias"
        case ast.Starred():
            above = module.parent(parent)
            return "read" if isinstance(above, ast.List | ast.Tuple | ast.Set | ast.Call) else "alias"
        case ast.comprehension(iter=it) if it is node and isinstance(module.parent(parent), ast.GeneratorExp):
            above = module.parent(parent)
            call = module.parent(above) if above is not None else None
            if isinstance(call, ast.Call) and module.names.is_builtin(call.func, "next"):
                return "read"  # and nobody can go on with it
            return use_of_value(module, above) if isinstance(above, ast.expr) else "alias"  # as long as it lives
        case ast.For(iter=it) | ast.comprehension(iter=it) if it is node:
            return "read"
        case ast.Compare() | ast.UnaryOp() | ast.FormattedValue() | ast.Slice() | ast.BinOp():
            return "read"
        case ast.If() | ast.While() | ast.Assert() | ast.comprehension():
            return "read"
        case ast.IfExp(test=test) if test is node:
            return "read"
        case ast.BoolOp():
            above = module.parent(parent)
            tested = isinstance(above, ast.If | ast.While | ast.UnaryOp | ast.comprehension | ast.BoolOp)
            return "read" if tested else "alias"
        case ast.AugAssign():
            return "read"
        case ast.Return():
            return "return"
        case ast.Tuple() | ast.List() if isinstance(module.parent(parent), ast.Return):
            return "return"
        case ast.Expr():
            return "read"
        case ast.Assign(targets=[ast.Tuple()]):
            return "read"  # taken apart
    return "alias"


def _attribute_use(module: ParsedModule, attribute: ast.Attribute) -> Use:
    if not isinstance(attribute.ctx, ast.Load):
        return "change"
    above = module.parent(attribute)
    called = isinstance(above, ast.Call) and above.func is attribute
    if attribute.attr in GROWING and called:
        return "grow"
    if attribute.attr in MUTATING:
        return "change" if called else "alias"  # a bound method holds the object
    if attribute.attr in _READ_METHODS and called:
        return "read"
    return "change" if called else "read"


def _may_give_back(module: ParsedModule, call: ast.Call, node: ast.expr) -> bool:
    """Whether the result may be the very object: `min(a, b)` is one of them, `sum([], a)` is `a`."""
    if module.names.is_builtin(call.func, "min", "max"):
        return len(call.args) > 1
    return module.names.is_builtin(call.func, "sum") and call.args[0] is not node


def _is_lazy(module: ParsedModule, func: ast.expr) -> bool:
    return module.names.is_builtin(func, *_LAZY) or (dotted(module, func) or "").startswith("itertools.")


def is_own_method(module: ParsedModule, name: str) -> bool:
    """Whether a class of the module has a method of that name, which need not do what that of a builtin does."""
    own = module.memory.get("methods")
    if not isinstance(own, frozenset):
        classes = (each for each in module.nodes if isinstance(each, ast.ClassDef))
        own = frozenset(
            each.name
            for one in classes
            for each in one.body
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        )
        module.memory["methods"] = own
    return name in own


def _reads(module: ParsedModule, func: ast.expr) -> bool:
    if module.names.is_builtin(func, *_CONSUMERS):
        return True
    if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Constant):
        return True  # ", ".join(…)
    if isinstance(func, ast.Attribute) and func.attr in _TAKING_ELEMENTS and not is_own_method(module, func.attr):
        return True  # only the elements go over
    name = dotted(module, func)
    return name is not None and (name in _PURE_CALLS or name.startswith("math."))
