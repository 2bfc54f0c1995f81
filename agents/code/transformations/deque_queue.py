"""Use a deque for a list that is used as a queue.

    queue = [start]                     queue = collections.deque([start])
    while queue:                →       while queue:
        node = queue.pop(0)                 node = queue.popleft()

`list.pop(0)` and `list.insert(0, x)` move every other item; a deque moves none. The list must belong to the function
and never be sliced, sorted, compared or given away.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import functions
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.origins import is_fresh
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.scopes import Scope
from agents.code.transformations.analysis.shapes import assigned, rings
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule

__all__ = ["DEQUE_QUEUE"]

_SHARED = frozenset({"append", "extend", "clear"})


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for function in functions(module):
        scope = module.names.own[function]
        for name in list(scope.bindings):
            yield from _queue(module, scope, name)


def _queue(module: ParsedModule, scope: Scope, name: str) -> Iterator[Rewrite]:
    starts = [assigned(each.by) for each in scope.bindings[name]]
    uses = module.names.references(scope, name)
    if any(start is None or not is_fresh(module, start[1]) for start in starts):
        return
    if any(each.scope is not scope for each in scope.bindings[name]) or any(
        module.scope(each).owner is not scope for each in uses
    ):
        return
    kinds = [kind_of(module, start[1]) for start in starts if start]
    if not all(kind and kind.name == "list" for kind in kinds):
        return
    draft = Draft(module)
    front = 0
    for each in uses:
        if not isinstance(each.ctx, ast.Load):
            continue
        changed = _use(module, draft, each)
        if changed is None:
            return
        front += changed
    if not front:
        return
    anchor: ast.AST | None = None
    for binding, start in zip(scope.bindings[name], starts, strict=True):
        assert start is not None
        deque = draft.imported("collections", "deque", at=binding.by)
        value = start[1]
        empty = isinstance(value, ast.List) and not value.elts
        draft.replace(value, f"{deque}()" if empty else f"{deque}({module.segment(value)})")
        if isinstance(binding.by, ast.AnnAssign):
            annotation = binding.by.annotation
            head = annotation.value if isinstance(annotation, ast.Subscript) else annotation
            if not isinstance(head, ast.Name) or head.id not in ("list", "List"):
                return
            draft.replace(head, deque)
        anchor = anchor or binding.by
    assert anchor is not None
    yield from draft.rewrite(anchor, f"make `{name}` a deque")


def _use(module: ParsedModule, draft: Draft, name: ast.Name) -> int | None:
    """Write one use for a deque: 1 when it works at the front within a loop, 0 for other uses, None if it cannot be."""
    above = module.parent(name)
    if isinstance(above, ast.Attribute):
        call = module.parent(above)
        if not isinstance(call, ast.Call) or call.func is not above or call.keywords:
            return None
        first = call.args[0] if call.args else None
        zero = isinstance(first, ast.Constant) and first.value == 0 and type(first.value) is int
        looped = 1 if any(True for _ in rings(module, call)) else 0
        if above.attr == "pop" and (not call.args or (zero and len(call.args) == 1)):
            if call.args:
                draft.replace(call, f"{name.id}.popleft()")
                return looped
            return 0
        if above.attr == "insert" and zero and len(call.args) == 2:
            draft.replace(call, f"{name.id}.appendleft({module.segment(call.args[1])})")
            return looped
        return 0 if above.attr in _SHARED else None
    if isinstance(above, ast.Subscript) and above.value is name and isinstance(above.slice, ast.Constant | ast.UnaryOp):
        return 0 if isinstance(above.ctx, ast.Load) else None
    if isinstance(above, ast.While | ast.If | ast.BoolOp) or (
        isinstance(above, ast.UnaryOp) and isinstance(above.op, ast.Not)
    ):
        outer = module.parent(above)
        tested = not isinstance(above, ast.BoolOp) or isinstance(outer, ast.If | ast.While)
        return 0 if tested else None
    if (
        isinstance(above, ast.Call)
        and len(above.args) == 1
        and module.names.is_builtin(above.func, "len", "sorted", "sum", "min", "max", "list", "set")
    ):
        return 0
    if (
        isinstance(above, ast.Compare)
        and isinstance(above.ops[-1], ast.In | ast.NotIn)
        and above.comparators[-1] is name
    ):
        return 0 if len(above.ops) == 1 else None
    return None


DEQUE_QUEUE = Rule(
    "deque_queue", "a deque gives and takes at the front in constant time; a list moves all its items", find
)
