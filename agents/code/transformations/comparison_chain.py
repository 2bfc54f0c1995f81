"""Ask once instead of several times.

s.startswith("a") or s.startswith("b")        →   s.startswith(("a", "b"))
isinstance(x, A) or isinstance(x, B)          →   isinstance(x, (A, B))
x == "a" or x == "b" or x == "c" or x == "d"  →   x in {"a", "b", "c", "d"}
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import functions
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import is_hashable
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import method, same
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule

__all__ = ["COMPARISON_CHAIN"]

ENOUGH = 3


def find(module: ParsedModule) -> Iterator[Rewrite]:
    inside = {node for function in functions(module) for node in ast.walk(function)}
    for node in module.nodes:
        if node in inside and isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
            yield from _affixes(module, node)
            yield from _types(module, node)
            yield from _equalities(module, node)


def _affixes(module: ParsedModule, node: ast.BoolOp) -> Iterator[Rewrite]:
    for word in ("startswith", "endswith"):
        texts = [method(each, word, arguments=1) for each in node.values]
        if (
            not all(isinstance(text, ast.Name) and same(text, texts[0]) for text in texts if texts[0])
            or texts[0] is None
        ):
            continue
        given = [each.args[0] for each in node.values if isinstance(each, ast.Call)]
        if not all(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in given):
            continue
        draft = Draft(module)
        draft.replace(node, f"{module.segment(texts[0])}.{word}(({', '.join(module.segment(each) for each in given)}))")
        kind = kind_of(module, texts[0])
        known = kind is not None and kind.name == "str"
        note = (
            ""
            if known and kind and kind.sure
            else "annotations are true"
            if known
            else f"`{module.segment(texts[0])}` is text"
        )
        yield from draft.rewrite(node, f"one `{word}` for all", note)


def _types(module: ParsedModule, node: ast.BoolOp) -> Iterator[Rewrite]:
    calls = [
        each for each in node.values if isinstance(each, ast.Call) and module.names.is_builtin(each.func, "isinstance")
    ]
    if len(calls) < len(node.values) or not all(len(call.args) == 2 and not call.keywords for call in calls):
        return
    plain = all(isinstance(call.args[0], ast.Name) and same(call.args[0], calls[0].args[0]) for call in calls)
    if not plain or not all(isinstance(call.args[1], ast.Name | ast.Attribute) for call in calls):
        return
    draft = Draft(module)
    types = ", ".join(module.segment(call.args[1]) for call in calls)
    draft.replace(node, f"isinstance({module.segment(calls[0].args[0])}, ({types}))")
    yield from draft.rewrite(node, "one `isinstance` for all", "the names of all types are bound")


def _equalities(module: ParsedModule, node: ast.BoolOp) -> Iterator[Rewrite]:
    if len(node.values) < ENOUGH:
        return
    values, name = [], None
    for each in node.values:
        if not isinstance(each, ast.Compare) or len(each.ops) != 1 or not isinstance(each.ops[0], ast.Eq):
            return
        value = each.comparators[0]
        if (
            not isinstance(each.left, ast.Name)
            or not isinstance(value, ast.Constant)
            or (name and not same(name, each.left))
        ):
            return
        name = each.left
        values.append(value)
    if name is None or any(isinstance(value.value, float) for value in values):
        return
    kind = kind_of(module, name)
    draft = Draft(module)
    marks = "{}" if is_hashable(kind) else "()"
    written = ", ".join(module.segment(value) for value in values)
    draft.replace(node, f"{name.id} in {marks[0]}{written}{marks[1]}")
    known = is_hashable(kind)
    note = (
        ""
        if known and kind and kind.sure
        else "annotations are true"
        if known
        else f"comparing `{name.id}` gives True or False"
    )
    yield from draft.rewrite(node, f"one look-up of `{name.id}`", note)


COMPARISON_CHAIN = Rule("comparison_chain", "one call or look-up instead of several", find)
