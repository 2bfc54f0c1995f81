"""Keep a sorted list sorted, and search it, by bisection.

    xs.append(v)                      →   bisect.insort(xs, v)
    xs.sort()

    i = 0
    while i < len(xs) and xs[i] < v:  →   i = bisect.bisect_left(xs, v)
        i += 1

    sum(1 for x in xs if x < v)       →   bisect.bisect_left(xs, v)

The first for a list that starts empty or sorted and is changed by nothing else; the others for a list that was made by
`sorted`, or is kept in order by `insort` alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import functions, own_nodes
from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import assigned, each_reference, method, rings, same
from agents.code.transformations.analysis.uses import use_of
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule, conditions
from agents.code.transformations.single_pass import order_note

__all__ = ["SORTED_INSERT"]


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for function in functions(module):
        for node in own_nodes(function):
            if isinstance(node, ast.Expr):
                yield from _append_and_sort(module, node)
            elif isinstance(node, ast.While):
                yield from _scan(module, node)
            elif isinstance(node, ast.Call):
                yield from _count(module, node)


def _append_and_sort(module: ParsedModule, statement: ast.Expr) -> Iterator[Rewrite]:
    items = method(statement.value, "append", arguments=1)
    after = module.following(statement)
    sort = method(after.value, "sort", arguments=0) if isinstance(after, ast.Expr) else None
    if not isinstance(items, ast.Name) or not isinstance(sort, ast.Name) or items.id != sort.id or after is None:
        return
    assert isinstance(statement.value, ast.Call)
    if items.id in {each.id for each in ast.walk(statement.value.args[0]) if isinstance(each, ast.Name)}:
        return
    pair = {statement, after}
    if not any(True for _ in rings(module, statement)) or not _stays_sorted(module, items, pair):
        return
    draft = Draft(module)
    insort = draft.imported("bisect", "insort", at=statement)
    draft.swap(statement, after, f"{insort}({items.id}, {module.segment(statement.value.args[0])})")
    yield from draft.rewrite(statement, f"insert into `{items.id}` in order", order_note(module, items))


def _stays_sorted(module: ParsedModule, items: ast.Name, pair: set[ast.stmt]) -> bool:
    """Whether a list starts in order, and only these statements change it."""
    scope = module.names.home(items)
    for binding in module.names.bindings(items):
        found = assigned(binding.by)
        empty = found and isinstance(found[1], ast.List) and len(found[1].elts) < 2
        ordered = found and _is_sorted_call(module, found[1])
        if not (empty or ordered):
            return False
    for each in each_reference(module, items):
        if module.statement(each) in pair:
            continue
        if module.scope(each).owner is not scope or use_of(module, each) not in ("read", "rebind", "return"):
            return False
        if isinstance(each.ctx, ast.Del):
            return False
    return True


def _is_sorted_call(module: ParsedModule, value: ast.expr) -> bool:
    return (
        isinstance(value, ast.Call)
        and module.names.is_builtin(value.func, "sorted")
        and len(value.args) == 1
        and not value.keywords
    )


def _is_ordered(module: ParsedModule, items: ast.expr) -> bool:
    """Whether a name stands for a list in ascending order, wherever it is read."""
    if not isinstance(items, ast.Name):
        return False
    insertions = {
        module.statement(each)
        for each in each_reference(module, items)
        if isinstance(call := module.parent(each), ast.Call)
        and (dotted(module, call.func) or "").startswith("bisect.insort")
        and len(call.args) == 2
        and call.args[0] is each
    }
    return bool(module.names.bindings(items)) and _stays_sorted(module, items, insertions)


def _scan(module: ParsedModule, loop: ast.While) -> Iterator[Rewrite]:
    start = module.previous(loop)
    found = assigned(start)
    test = loop.test
    if not found or start is None or loop.orelse or len(loop.body) != 1 or not isinstance(test, ast.BoolOp):
        return
    index, zero = found
    step = loop.body[0]
    steps = isinstance(step, ast.AugAssign) and isinstance(step.op, ast.Add) and same(step.target, index)
    one = steps and isinstance(step, ast.AugAssign) and isinstance(step.value, ast.Constant) and step.value.value == 1
    if (
        not one
        or not isinstance(zero, ast.Constant)
        or type(zero.value) is not int
        or zero.value != 0
        or not isinstance(test.op, ast.And)
        or len(test.values) != 2
    ):
        return
    bound, compared = test.values
    if (
        not isinstance(bound, ast.Compare)
        or not isinstance(compared, ast.Compare)
        or len(bound.ops) != 1
        or len(compared.ops) != 1
    ):
        return
    length, item = bound.comparators[0], compared.left
    value = compared.comparators[0]
    if not isinstance(bound.ops[0], ast.Lt) or not same(bound.left, index) or not isinstance(item, ast.Subscript):
        return
    if (
        not isinstance(length, ast.Call)
        or not module.names.is_builtin(length.func, "len")
        or not same(length.args[0], item.value)
    ):
        return
    name = {ast.Lt: "bisect_left", ast.LtE: "bisect_right"}.get(type(compared.ops[0]))
    items = item.value
    if (
        name is None
        or not same(item.slice, index)
        or not isinstance(value, ast.Name | ast.Constant)
        or not isinstance(items, ast.Name)
    ):
        return
    if isinstance(value, ast.Name) and value.id == index.id:
        return
    inserted = _insertion_here(module, loop, items, index, value)
    if not (_is_ordered(module, items) or inserted):
        return
    draft = Draft(module)
    search = draft.imported("bisect", name, at=loop)
    draft.swap(start, loop, f"{index.id} = {search}({items.id}, {module.segment(value)})")
    note = conditions(order_note(module, items), _value_note(module, value))
    yield from draft.rewrite(test, f"find the place in `{items.id}` by bisection", note)


def _insertion_here(module: ParsedModule, loop: ast.While, items: ast.Name, index: ast.Name, value: ast.expr) -> bool:
    """Whether the scan is followed by `items.insert(index, value)`, and that alone changes the list."""
    after = module.following(loop)
    receiver = method(after.value, "insert", arguments=2) if isinstance(after, ast.Expr) else None
    if not isinstance(after, ast.Expr) or not isinstance(receiver, ast.Name) or receiver.id != items.id:
        return False
    assert isinstance(after.value, ast.Call)
    first, second = after.value.args
    return same(first, index) and same(second, value) and _stays_sorted(module, items, {after})


def _count(module: ParsedModule, call: ast.Call) -> Iterator[Rewrite]:
    if len(call.args) != 1 or call.keywords or not any(True for _ in rings(module, call)):
        return
    inner = call.args[0]
    ones = isinstance(inner, ast.GeneratorExp) and module.names.is_builtin(call.func, "sum")
    ones = ones and isinstance(inner, ast.GeneratorExp) and isinstance(inner.elt, ast.Constant) and inner.elt.value == 1
    listed = isinstance(inner, ast.ListComp) and module.names.is_builtin(call.func, "len")
    if not (ones or listed) or not isinstance(inner, ast.GeneratorExp | ast.ListComp) or len(inner.generators) != 1:
        return
    clause = inner.generators[0]
    if (
        len(clause.ifs) != 1
        or not isinstance(test := clause.ifs[0], ast.Compare)
        or len(test.ops) != 1
        or clause.is_async
    ):
        return
    value = test.comparators[0]
    if (
        not same(test.left, clause.target)
        or not isinstance(value, ast.Name | ast.Constant)
        or not _is_ordered(module, clause.iter)
    ):
        return
    if isinstance(value, ast.Name) and isinstance(clause.target, ast.Name) and value.id == clause.target.id:
        return
    draft = Draft(module)
    right = isinstance(test.ops[0], ast.LtE | ast.Gt)
    below = isinstance(test.ops[0], ast.Lt | ast.LtE)
    if not below and not isinstance(test.ops[0], ast.Gt | ast.GtE):
        return
    search = draft.imported("bisect", "bisect_right" if right else "bisect_left", at=call)
    items = module.segment(clause.iter)
    found = f"{search}({items}, {module.segment(value)})"
    draft.replace(call, found if below else f"(len({items}) - {found})")
    note = conditions(order_note(module, clause.iter), _value_note(module, value))
    yield from draft.rewrite(call, f"count in `{items}` by bisection", note)


def _value_note(module: ParsedModule, value: ast.expr) -> str:
    """The condition that a value has its place in the order; empty when it is a number or a text for certain."""
    kind = kind_of(module, value)
    if kind is None or kind.name not in ("int", "str", "bytes", "bool"):
        return "what is looked for has a place in the order (no NaN)"
    return "" if kind.sure else "annotations are true"


SORTED_INSERT = Rule(
    "sorted_insert", "bisection finds a place in logarithmic time; scanning and sorting look at everything", find
)
