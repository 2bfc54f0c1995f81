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
from agents.code.transformations.analysis.uses import MUTATING
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
        if words & _REFUSED - set(dir(object)) or "vars" in {
            each.id for each in module.nodes if isinstance(each, ast.Name)
        }:
            continue
        frozen = _frozen_attributes(module, node)
        for function in node.body:
            if isinstance(function, ast.FunctionDef) and _is_property(module, function, node):
                yield from _cached(module, function, frozen)


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
            if stored or changed or item or isinstance(above, ast.AugAssign):
                own.discard(each.attr)
    return own


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
        "no other module changes the attributes it reads, or what is in them; nobody relies on it being read-only",
    )  # fmt: skip


CACHED_ATTRIBUTE = Rule("cached_attribute", "a property is computed once for each instance, not at every look", find)
