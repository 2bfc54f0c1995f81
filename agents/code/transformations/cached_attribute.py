"""Compute a property once for each instance.

    @property                                   @functools.cached_property
    def words(self):                     →      def words(self):
        return len(self.text.split())               return len(self.text.split())

For classes whose attributes are set in `__init__` alone and changed nowhere in the module, and properties that do some
work on them and return what cannot change.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import own_nodes
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import STR_RESULTS, annotated, is_immutable
from agents.code.transformations.analysis.library import PURE_BUILTINS
from agents.code.transformations.analysis.parsed import Function, ParsedModule
from agents.code.transformations.analysis.purity import purity
from agents.code.transformations.analysis.shapes import each_reference
from agents.code.transformations.analysis.uses import MUTATING, use_of, use_of_value
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule

__all__ = ["CACHED_ATTRIBUTE"]

_REFUSED = frozenset({"__slots__", "__dict__", "__getattr__", "__getattribute__", "__setattr__"})


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for node in module.nodes:
        if not isinstance(node, ast.ClassDef) or node.keywords or node.decorator_list:
            continue
        if any(not module.names.is_builtin(base, "object") for base in node.bases):
            continue
        words = {each.attr for each in module.nodes if isinstance(each, ast.Attribute)} | module.names.words
        if words & _REFUSED - set(dir(object)) or {"vars", "setattr", "delattr"} & {
            each.id for each in module.nodes if isinstance(each, ast.Name)
        }:
            continue
        frozen = _frozen_attributes(module, node)
        early = {each.attr for each in _stored_or_in_init(module, node)}
        for function in node.body:
            if not isinstance(function, ast.FunctionDef) or function.name in early:
                continue
            if _is_property(module, function, node):
                yield from _cached(module, function, frozen)


def _stored_or_in_init(module: ParsedModule, node: ast.ClassDef) -> list[ast.Attribute]:
    """Attributes that are set somewhere, or read in `__init__`, where others may not have their last value yet."""
    init = next((each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"), None)
    inside = set(ast.walk(init)) if init is not None else set()
    found = [each for each in module.nodes if isinstance(each, ast.Attribute)]
    return [each for each in found if each in inside or not isinstance(each.ctx, ast.Load)]


def _is_property(module: ParsedModule, function: ast.FunctionDef, node: ast.ClassDef) -> bool:
    decorators = function.decorator_list
    alone = sum(1 for each in node.body if isinstance(each, Function) and each.name == function.name) == 1
    return (
        alone
        and len(decorators) == 1
        and module.names.is_builtin(decorators[0], "property")
        and len(function.args.args) == 1
    )


def _frozen_attributes(module: ParsedModule, node: ast.ClassDef) -> set[str]:
    """Attributes set in `__init__`, and set, changed or deleted nowhere else in the module."""
    init = next((each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"), None)
    if init is None:
        return set()
    inside = set(ast.walk(init))
    written = {each for each in module.nodes if isinstance(each, ast.Attribute) and not isinstance(each.ctx, ast.Load)}
    own = {each.attr for each in written if each in inside}
    for each in module.nodes:
        if isinstance(each, ast.Attribute) and each.attr in own:
            above = module.parent(each)
            stored = each in written and each not in inside
            changed = isinstance(above, ast.Attribute) and above.attr in MUTATING
            item = isinstance(above, ast.Subscript) and above.value is each and not isinstance(above.ctx, ast.Load)
            if (
                stored
                or changed
                or item
                or isinstance(above, ast.AugAssign)
                or (each not in written and _may_change(module, each) and not _is_plain(module, init, each.attr))
            ):
                own.discard(each.attr)
    return own


def _is_plain(module: ParsedModule, init: ast.FunctionDef, name: str) -> bool:
    """Whether all that `__init__` gives an attribute can never change."""
    values = [
        each.value
        for each in ast.walk(init)
        if isinstance(each, ast.Assign | ast.AnnAssign)
        for target in (each.targets if isinstance(each, ast.Assign) else [each.target])
        if isinstance(target, ast.Attribute) and target.attr == name
    ]
    return bool(values) and all(is_immutable(kind_of(module, value)) for value in values)


def _may_change(module: ParsedModule, node: ast.expr) -> bool:
    """Whether the object an expression stands for, or a part of it, is changed here or given to somebody else."""
    above = module.parent(node)
    if isinstance(above, ast.Subscript) and above.value is node:
        return not isinstance(above.ctx, ast.Load) or _may_change(module, above)
    if isinstance(above, ast.For) and above.iter is node:
        names = {each.id: each for each in ast.walk(above.target) if isinstance(each, ast.Name)}
        return any(
            use_of(module, use) in ("grow", "change") for each in names.values() for use in each_reference(module, each)
        )
    return isinstance(node, ast.Attribute) and use_of_value(module, node) != "read"


def _cached(module: ParsedModule, function: ast.FunctionDef, frozen: set[str]) -> Iterator[Rewrite]:
    self = function.args.args[0].arg
    work = False
    for each in own_nodes(function):
        if isinstance(each, ast.Name) and each.id == self:
            above = module.parent(each)
            if not isinstance(above, ast.Attribute) or above.attr not in frozen:
                return
        if isinstance(each, ast.Call):
            func = each.func
            known = module.names.is_builtin(func, *PURE_BUILTINS) or (
                isinstance(func, ast.Attribute) and func.attr in STR_RESULTS
            )
            if not known and not purity(module).expression(each):
                return
            work |= not module.names.is_builtin(func, "len", "bool")
        work |= isinstance(each, ast.For | ast.While | ast.comprehension)
        if isinstance(
            each,
            ast.Yield
            | ast.YieldFrom
            | ast.Await
            | ast.Global
            | ast.Nonlocal
            | ast.Lambda
            | ast.Try
            | ast.With
            | ast.Import,
        ):
            return
        if isinstance(each, ast.Attribute | ast.Subscript) and not isinstance(each.ctx, ast.Load):
            return
        if (
            isinstance(each, ast.Name)
            and isinstance(each.ctx, ast.Load)
            and module.names.home(each) is module.names.top
        ) and not purity(module).expression(each):
            return
    returned = [each.value for each in own_nodes(function) if isinstance(each, ast.Return) and each.value]
    told = annotated(function.returns)
    if (
        not work
        or not returned
        or not (is_immutable(told) or all(is_immutable(kind_of(module, each)) for each in returned))
    ):
        return
    draft = Draft(module)
    draft.replace(
        function.decorator_list[0], draft.imported("functools", "cached_property", at=module.scope(function).node)
    )
    yield from draft.rewrite(
        function, f"compute `{function.name}` once for each instance",
        "nothing else changes the attributes it reads, or what is in them; nobody relies on it being read-only",
    )  # fmt: skip


CACHED_ATTRIBUTE = Rule("cached_attribute", "a property is computed once for each instance, not at every look", find)
