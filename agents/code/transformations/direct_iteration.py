"""Go over the items themselves, not over positions or keys from which they are looked up.

for i in range(len(xs)):           for i, x in enumerate(xs):        (i is used besides `xs[i]`)
    use(xs[i])              →      for x in xs:                      (i is not)

for k in d:                 →      for k, v in d.items():
    use(k, d[k])                       use(k, v)

i = 0
while i < n:                →      for i in range(n):
    use(i)                             use(i)
    i += 1
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import loops, own_nodes, read_after, stability, stable
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import assigned, same
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule, conditions

__all__ = ["DIRECT_ITERATION"]


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for loop in loops(module):
        if isinstance(loop, ast.While):
            yield from _counting(module, loop)
        elif isinstance(loop.target, ast.Name):
            yield from _positions(module, loop, loop.target)
            yield from _keys(module, loop, loop.target)


def _is_only_set_by(module: ParsedModule, loop: ast.For, target: ast.Name) -> bool:
    inside = set(ast.walk(loop))
    scope = module.scope(loop).owner
    uses = [each for each in module.names.references(scope, target.id) if each in inside]
    return all(each is target or isinstance(each.ctx, ast.Load) for each in uses) and all(
        module.scope(each).owner is scope for each in uses
    )


def _lookups(
    module: ParsedModule, loop: ast.For, container: ast.Name, target: ast.Name
) -> tuple[list[ast.Subscript], int]:
    """The places `container[target]` that are read, and how often the target is used otherwise."""
    found, others = [], 0
    for part in loop.body:
        for each in ast.walk(part):
            if isinstance(each, ast.Name) and each.id == target.id:
                above = module.parent(each)
                reads = isinstance(above, ast.Subscript) and above.slice is each and same(above.value, container)
                outside = not any(isinstance(other, ast.JoinedStr) for other in module.ancestors(each))
                if reads and outside and isinstance(above, ast.Subscript) and isinstance(above.ctx, ast.Load):
                    found.append(above)
                else:
                    others += 1
    return found, others


def _positions(module: ParsedModule, loop: ast.For, target: ast.Name) -> Iterator[Rewrite]:
    call = loop.iter
    if not isinstance(call, ast.Call) or not module.names.is_builtin(call.func, "range") or len(call.args) != 1:
        return
    length = call.args[0]
    if not isinstance(length, ast.Call) or not module.names.is_builtin(length.func, "len") or len(length.args) != 1:
        return
    items = length.args[0]
    kind = kind_of(module, items)
    if (
        not isinstance(items, ast.Name)
        or kind is None
        or kind.name not in ("list", "tuple", "str")
        or "enumerate" in module.names.top.bindings
    ):
        return
    settled = stability(module, items, loop)
    found, others = _lookups(module, loop, items, target)
    if settled is None or not found or not _is_only_set_by(module, loop, target) or loop.orelse:
        return
    if read_after(module, target.id, loop):
        return
    draft = Draft(module)
    item = draft.fresh(f"{items.id}_item")
    for each in found:
        draft.replace(each, item)
    if others:
        draft.replace(target, f"{target.id}, {item}")
        draft.replace(call, f"enumerate({items.id})")
    else:
        draft.replace(target, item)
        draft.replace(call, items.id)
    note = conditions(settled.assumes, "" if kind.sure else "annotations are true")
    yield from draft.rewrite(found[0], f"go over the items of `{items.id}`", note)


def _keys(module: ParsedModule, loop: ast.For, target: ast.Name) -> Iterator[Rewrite]:
    mapping = loop.iter
    kind = kind_of(module, mapping)
    if not isinstance(mapping, ast.Name) or kind is None or kind.name != "dict":
        return
    settled = stability(module, mapping, loop)
    found, _ = _lookups(module, loop, mapping, target)
    if settled is None or not found or not _is_only_set_by(module, loop, target):
        return
    draft = Draft(module)
    value = draft.fresh(f"{mapping.id}_value")
    for each in found:
        draft.replace(each, value)
    draft.replace(target, f"{target.id}, {value}")
    draft.replace(mapping, f"{mapping.id}.items()")
    note = conditions(settled.assumes, "" if kind.sure else "annotations are true")
    yield from draft.rewrite(found[0], f"go over the items of `{mapping.id}`", note)


def _counting(module: ParsedModule, loop: ast.While) -> Iterator[Rewrite]:
    start, test = module.previous(loop), loop.test
    first = assigned(start)
    last = loop.body[-1]
    if (
        not first
        or start is None
        or not isinstance(test, ast.Compare)
        or len(test.ops) != 1
        or loop.orelse
        or len(loop.body) < 2
    ):
        return
    index, low = first
    high = test.comparators[0]
    if (
        not same(test.left, index)
        or not isinstance(test.ops[0], ast.Lt)
        or not isinstance(low, ast.Constant)
        or type(low.value) is not int
    ):
        return
    if not isinstance(last, ast.AugAssign) or not isinstance(last.op, ast.Add) or not same(last.target, index):
        return
    if not isinstance(last.value, ast.Constant) or last.value.value != 1 or "range" in module.names.top.bindings:
        return
    kind, settled = kind_of(module, high), stable(module, high, loop)
    inside = [each for part in loop.body for each in own_nodes(part)]
    stores = [
        each
        for each in inside
        if isinstance(each, ast.Name) and each.id == index.id and not isinstance(each.ctx, ast.Load)
    ]
    if kind is None or kind.name != "int" or settled is None or len(stores) != 1 or isinstance(start, ast.AnnAssign):
        return
    scope = module.scope(loop).owner
    if (
        any(module.scope(each).owner is not scope for each in module.names.references(scope, index.id))
        or scope.lookup(index.id) is not scope
    ):
        return
    if any(isinstance(each, ast.Continue) for each in inside) or read_after(module, index.id, loop):
        return
    if any(isinstance(each, ast.Try | ast.TryStar) for each in inside):
        return
    draft = Draft(module)
    lower = "" if low.value == 0 else f"{low.value}, "
    head, body = module.span(loop)[0], module.span(loop.body[0])[0]
    if any(head <= at < body for at, _ in module.comments):
        return
    draft.remove(start)
    draft.replace_between(loop, test, f"for {index.id} in range({lower}{module.segment(high)})")
    draft.remove(last)
    yield from draft.rewrite(
        test, f"count `{index.id}` with range", conditions(settled.assumes, "" if kind.sure else "annotations are true")
    )


DIRECT_ITERATION = Rule("direct_iteration", "items are handed over by the loop, not looked up by position or key", find)
