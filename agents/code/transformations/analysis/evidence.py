"""What the use of a function says of its parameters and results: can they be hashed, can they change?"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import own_nodes
from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import (
    ANY_STR_METHODS,
    Kind,
    annotated,
    is_hashable,
    is_immutable,
)
from agents.code.transformations.analysis.origins import called_function
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import taken_at_once

__all__ = [
    "arguments_hashable",
    "calls_of",
    "gives_iterator",
    "plain_arguments",
    "reads_note",
    "result_immutable",
    "self_calls",
]

_LAZY = ("enumerate", "filter", "iter", "map", "reversed", "zip")
_READ_ONCE = frozenset({"iterator", "iterable", "file"})


def plain_arguments(function: ast.FunctionDef) -> tuple[ast.arg, ...] | None:
    """The parameters, when there is at least one, none is starred, and every default is a constant."""
    arguments = function.args
    if arguments.vararg or arguments.kwarg:
        return None
    if not all(
        each is None or isinstance(each, ast.Constant) for each in [*arguments.defaults, *arguments.kw_defaults]
    ):
        return None
    found = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    return found or None


def reads_note(module: ParsedModule, function: ast.FunctionDef) -> str:
    """The condition on the values of the module that a function reads; empty when it reads none."""
    names = {
        each.id
        for each in ast.walk(function)
        if isinstance(each, ast.Name)
        and module.names.home(each) is module.names.top
        and any(isinstance(one.by, ast.Assign | ast.AnnAssign) for one in module.names.bindings(each))
    }
    return f"no other module changes {', '.join(f'`{name}`' for name in sorted(names))}" if names else ""


def calls_of(module: ParsedModule, function: ast.FunctionDef) -> list[ast.Call]:
    """The calls of a function by its name in this module, those within itself left out."""
    inside = set(ast.walk(function))
    uses = module.names.references(module.scope(function), function.name)
    return [
        call
        for each in uses
        if each not in inside and isinstance(call := module.parent(each), ast.Call) and call.func is each
    ]


def self_calls(module: ParsedModule, function: ast.FunctionDef) -> list[ast.Call]:
    return [
        each for each in own_nodes(function) if isinstance(each, ast.Call) and called_function(module, each) is function
    ]


def arguments_hashable(module: ParsedModule, function: ast.FunctionDef) -> str | None:
    """On what condition every argument can be hashed; None when nothing says so."""
    arguments = plain_arguments(function)
    if arguments is None:
        return None
    told, guessed, alike = False, [], set[str]()
    for argument in arguments:
        kind = annotated(argument.annotation)
        if kind is not None:
            if not is_immutable(kind) or _holds(kind, "opaque"):
                return None  # Decimal("1.0") and Decimal("1.00") are equal, and so are equal times of two zones
            told = True
            if _holds(kind, "float", "complex"):
                alike.add("0.0 and -0.0 may share a result")
            if _holds(kind, "tuple", "frozenset"):
                alike.add("1, 1.0 and True in a tuple may share a result")
        elif argument.annotation is None and _used_as_scalar(module, function, argument):
            guessed.append(f"`{argument.arg}`")
        else:
            return None
    notes = ["annotations are true"] if told else []
    notes += [f"{', '.join(guessed)}: numbers or text, as their use says"] if guessed else []
    return "; ".join([*notes, *sorted(alike)])


def _holds(kind: Kind | None, *names: str) -> bool:
    """Whether a kind, or a part of it, is one of these."""
    if kind is None:
        return False
    return kind.name in names or any(_holds(each, *names) for each in (kind.item, kind.value, *(kind.items or ())))


def _used_as_scalar(module: ParsedModule, function: ast.FunctionDef, argument: ast.arg) -> bool:
    scope = module.names.own[function]
    for each in module.names.references(scope, argument.arg):
        above = module.parent(each)
        if isinstance(above, ast.Compare) and isinstance(above.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE | ast.Eq):
            others = [other for other in (above.left, *above.comparators) if other is not each]
            if any(isinstance(other, ast.Constant) and isinstance(other.value, int | float | str) for other in others):
                return True
        if isinstance(above, ast.Call) and module.names.is_builtin(above.func, "range", "ord", "chr"):
            return True
        if isinstance(above, ast.Attribute) and above.attr in ANY_STR_METHODS:
            return True
        if isinstance(above, ast.Subscript) and above.slice is each:
            return True
    calls = calls_of(module, function)
    names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    if not calls or argument.arg not in names:
        return False
    at = names.index(argument.arg)
    return all(len(call.args) > at and is_hashable(kind_of(module, call.args[at])) for call in calls)


def gives_iterator(module: ParsedModule, call: ast.Call) -> bool:
    """Whether what a function of the module gives may be an iterator, which can be read only once."""
    function = called_function(module, call)
    return function is not None and _may_give_iterator(module, function, frozenset())


def _may_give_iterator(module: ParsedModule, function: ast.FunctionDef, seen: frozenset[ast.FunctionDef]) -> bool:
    if function in seen:
        return False
    told = annotated(function.returns)
    if told is not None:
        return told.name in _READ_ONCE
    seen |= {function}
    for each in own_nodes(function):
        if isinstance(each, ast.Yield | ast.YieldFrom):
            return True
        if isinstance(each, ast.Return) and each.value is not None and (kind := kind_of(module, each.value)):
            if kind.name in _READ_ONCE:
                return True
            continue
        if isinstance(each, ast.Return) and each.value is not None:
            inner = called_function(module, each.value) if isinstance(each.value, ast.Call) else None
            if inner is not None and not _may_give_iterator(module, inner, seen):
                continue
            if inner is not None or any(_is_iterator(module, node) for node in own_nodes(function)):
                return True
    return False


def _is_iterator(module: ParsedModule, node: ast.AST) -> bool:
    """Whether an expression makes an iterator, and not for the call or loop around it alone."""
    makes = isinstance(node, ast.GeneratorExp)
    if isinstance(node, ast.Call):
        name = dotted(module, node.func) or ""
        makes = module.names.is_builtin(node.func, *_LAZY) or name.startswith("itertools.")
        makes |= name.endswith(".finditer") or (isinstance(node.func, ast.Attribute) and node.func.attr == "finditer")
    if not makes or not isinstance(node, ast.expr):
        return False
    above = module.parent(node)
    read = isinstance(above, ast.For | ast.comprehension) and above.iter is node
    return not read and not taken_at_once(module, node)


def result_immutable(module: ParsedModule, function: ast.FunctionDef) -> bool:
    """Whether nobody can change what the function returns; its own results count as such while it is looked at."""
    if function.returns is not None and (kind := annotated(function.returns)) is not None:
        return is_immutable(kind)
    returned = [each.value for each in own_nodes(function) if isinstance(each, ast.Return) and each.value]
    return bool(returned) and all(_immutable(module, function, each, frozenset()) for each in returned)


def _immutable(module: ParsedModule, function: ast.FunctionDef, node: ast.expr, seen: frozenset[str]) -> bool:
    if is_immutable(kind_of(module, node)):
        return True
    match node:
        case ast.Call():
            if called_function(module, node) is function:
                return True
            picks = module.names.is_builtin(node.func, "min", "max", "abs", "round", "pow")
            return picks and all(_immutable(module, function, each, seen) for each in node.args)
        case ast.BinOp(left=left, right=right):
            return _immutable(module, function, left, seen) and _immutable(module, function, right, seen)
        case ast.UnaryOp(operand=operand):
            return _immutable(module, function, operand, seen)
        case ast.BoolOp(values=values) | ast.Tuple(elts=values):
            return all(_immutable(module, function, each, seen) for each in values)
        case ast.IfExp(body=body, orelse=orelse):
            return _immutable(module, function, body, seen) and _immutable(module, function, orelse, seen)
        case ast.Compare():
            return True
        case ast.Name(id=name):
            return name in seen or all(
                _immutable(module, function, value, seen | {name}) for value in _values(module, function, node)
            )
    return False


def _values(module: ParsedModule, function: ast.FunctionDef, name: ast.Name) -> Iterator[ast.expr]:
    """The expressions a local name gets its values from; the name itself where one cannot be told."""
    unknown = ast.List(elts=[], ctx=ast.Load())
    for binding in module.names.bindings(name):
        if isinstance(binding.node, ast.arg):
            if arguments_hashable(module, function) is None:
                yield unknown
        elif isinstance(binding.by, ast.Assign) and binding.by.targets == [binding.node]:
            yield binding.by.value
        elif isinstance(binding.by, ast.AugAssign) or (isinstance(binding.by, ast.AnnAssign) and binding.by.value):
            value = binding.by.value
            yield value if value is not None else unknown
        else:
            yield unknown
