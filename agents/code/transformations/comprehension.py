"""Build a list, set or dict by a comprehension instead of a loop that appends.

    out = []
    for x in xs:                     →   out = [x * x for x in xs if x > 0]
        if x > 0:
            out.append(x * x)

A loop that appends to a list which already has something becomes `out.extend([…])`. A loop that only copies becomes
`list(xs)` or `out.extend(xs)`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import loops
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.origins import is_fresh
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import (
    Filter,
    assigned,
    becomes_expression,
    each_reference,
    filtered_loop,
    in_any_order,
    is_seen_here_alone,
    method,
    names_in,
    same,
    starts_just_before,
)
from agents.code.transformations.analysis.uses import use_of
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule

__all__ = ["COMPREHENSION"]


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for loop in loops(module):
        found = filtered_loop(loop) if isinstance(loop, ast.For) else None
        if found is None or found.body is None:
            continue
        grown = _growth(found)
        if grown is None:
            continue
        name, text, parts, kind = grown
        if any(name.id in names_in(each) for each in (*parts, found.loop.iter, *found.conditions)):
            continue
        if name.id in found.targets or not becomes_expression(module, found, *parts):
            continue
        if kind == "dict" and not in_any_order(module, parts[0], parts[1]):
            continue  # an assignment evaluates the value first, a comprehension the key
        start = starts_just_before(module, name.id, found.loop)
        draft = Draft(module)
        if start and _is_empty(module, start[1], kind):
            draft.settle(start[0], found.loop, text(module))
            yield from draft.rewrite(found.body, f"build `{name.id}` by a comprehension")
        elif kind == "list" and is_seen_here_alone(module, name.id, found.loop) and _belongs(module, name):
            copies = not found.conditions and same(parts[0], found.loop.target)
            given = module.segment(found.loop.iter) if copies else text(module)
            draft.swap(found.loop, found.loop, f"{name.id}.extend({given})")
            yield from draft.rewrite(found.body, f"extend `{name.id}` at once")


def _growth(found: Filter) -> tuple[ast.Name, _Text, list[ast.expr], str] | None:
    """The container a loop fills, its comprehension, the expressions in it, and what it is."""
    body = found.body
    if isinstance(body, ast.Expr):
        for attribute, kind, marks in (("append", "list", "[]"), ("add", "set", "{}")):
            receiver = method(body.value, attribute, arguments=1)
            if isinstance(receiver, ast.Name) and isinstance(body.value, ast.Call):
                return receiver, _Text(found, body.value.args, marks), body.value.args, kind
    target = body.targets[0] if isinstance(body, ast.Assign) and len(body.targets) == 1 else None
    if isinstance(body, ast.Assign) and isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
        parts = [target.slice, body.value]
        return None if isinstance(target.slice, ast.Slice) else (target.value, _Text(found, parts, "{}"), parts, "dict")
    return None


class _Text:
    """A comprehension, written when it is sure to be needed."""

    def __init__(self, found: Filter, parts: list[ast.expr], marks: str) -> None:
        self._found, self._parts, self._marks = found, parts, marks

    def __call__(self, module: ParsedModule) -> str:
        found, marks = self._found, self._marks
        plain = not found.conditions and len(self._parts) == 1 and same(self._parts[0], found.loop.target)
        if (
            plain
            and isinstance(found.loop.target, ast.Name)
            and marks == "[]"
            and "list" not in module.names.top.bindings
        ):
            return f"list({module.segment(found.loop.iter)})"
        parts = ": ".join(module.operand(each) for each in self._parts)
        return f"{marks[0]}{parts} {found.clauses(module)}{marks[1]}"


def _is_empty(module: ParsedModule, value: ast.expr, kind: str) -> bool:
    if isinstance(value, ast.List):
        return kind == "list" and not value.elts
    if isinstance(value, ast.Dict):
        return kind == "dict" and not value.keys
    called = isinstance(value, ast.Call) and module.names.is_builtin(value.func, kind)
    return called and isinstance(value, ast.Call) and not value.args and not value.keywords


def _belongs(module: ParsedModule, name: ast.Name) -> bool:
    """Whether the list was made in this function and is held by nothing that could watch it grow."""
    kind = kind_of(module, name)
    bound = module.names.bindings(name)
    own = all((found := assigned(each.by)) and is_fresh(module, found[1]) for each in bound)
    return (
        own
        and kind is not None
        and kind.name == "list"
        and all(use_of(module, each) != "alias" for each in each_reference(module, name))
    )


COMPREHENSION = Rule(
    "comprehension", "a comprehension appends in C, without looking up and calling `append` each time", find
)
