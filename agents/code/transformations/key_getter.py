"""Sort by a key function written in C.

sorted(rows, key=lambda r: r[1])         →   sorted(rows, key=operator.itemgetter(1))
max(people, key=lambda p: p.age)         →   max(people, key=operator.attrgetter("age"))
sorted(words, key=lambda w: w.lower())   →   sorted(words, key=str.lower)       (words: list[str])
sorted(words, key=lambda w: len(w))      →   sorted(words, key=len)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import iterated
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import method
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule

__all__ = ["KEY_GETTER"]

_PLAIN = ("lower", "upper", "casefold", "strip", "title")


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for node in module.nodes:
        if not isinstance(node, ast.keyword) or node.arg != "key" or not isinstance(function := node.value, ast.Lambda):
            continue
        call = module.parent(node)
        arguments = function.args
        if (
            not isinstance(call, ast.Call)
            or len(arguments.args) != 1
            or arguments.defaults
            or arguments.vararg
            or arguments.kwarg
        ):
            continue
        if arguments.kwonlyargs or arguments.posonlyargs or module.function(node) is None:
            continue
        sorts = isinstance(call.func, ast.Attribute) and call.func.attr == "sort"
        if not sorts and not module.names.is_builtin(call.func, "sorted", "min", "max"):
            continue
        items = (
            call.func.value if isinstance(call.func, ast.Attribute) else call.args[0] if len(call.args) == 1 else None
        )
        draft = Draft(module)
        written = _written(module, draft, function, arguments.args[0].arg, items)
        if written is not None:
            draft.replace(function, written)
            yield from draft.rewrite(function, f"use `{written}` as the key")


def _written(module: ParsedModule, draft: Draft, function: ast.Lambda, name: str, items: ast.expr | None) -> str | None:
    body = function.body
    if isinstance(body, ast.Subscript) and _is(body.value, name):
        inner = body.slice.operand if isinstance(body.slice, ast.UnaryOp) else body.slice
        if isinstance(inner, ast.Constant):
            return f"{draft.imported('operator', 'itemgetter', at=function)}({module.segment(body.slice)})"
    if isinstance(body, ast.Attribute) and _is(body.value, name) and not body.attr.startswith("__"):
        return f'{draft.imported("operator", "attrgetter", at=function)}("{body.attr}")'
    if (
        (
            isinstance(body, ast.Call)
            and module.names.is_builtin(body.func, "len", "abs", "str", "int")
            and len(body.args) == 1
        )
        and _is(body.args[0], name)
        and not body.keywords
        and isinstance(body.func, ast.Name)
    ):
        return body.func.id
    owner = method(body, *_PLAIN, arguments=0)
    kind = iterated(kind_of(module, items))
    if owner is not None and _is(owner, name) and kind is not None and kind.name == "str" and kind.sure:
        assert isinstance(body, ast.Call)
        assert isinstance(body.func, ast.Attribute)
        return f"str.{body.func.attr}" if "str" not in module.names.top.bindings else None
    return None


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


KEY_GETTER = Rule("key_getter", "a key function in C costs a fraction of a call of a lambda", find)
