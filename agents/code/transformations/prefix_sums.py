"""Add up once, not from the start for every position.

    for i in range(len(xs)):             xs_sums = [0, *itertools.accumulate(xs)]
        out.append(sum(xs[:i]))    →     for i in range(len(xs)):
                                             out.append(xs_sums[i])

For lists of whole numbers that do not change in the loop, and positions that come from `range(len(xs))`.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import hoistable, rings, same
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule, conditions

__all__ = ["PREFIX_SUMS"]


def find(module: ParsedModule) -> Iterator[Rewrite]:
    groups: dict[tuple[ast.stmt, str], list[tuple[ast.Call, str]]] = defaultdict(list)
    notes: dict[tuple[ast.stmt, str], str] = {}
    for node in module.nodes:
        if (
            not isinstance(node, ast.Call)
            or not module.names.is_builtin(node.func, "sum")
            or len(node.args) != 1
            or node.keywords
        ):
            continue
        part = node.args[0]
        if (
            not isinstance(part, ast.Subscript)
            or not isinstance(part.slice, ast.Slice)
            or not isinstance(part.value, ast.Name)
        ):
            continue
        cut, items, kind = part.slice, part.value, kind_of(module, part.value)
        if (
            cut.lower
            or cut.step
            or cut.upper is None
            or kind is None
            or kind.name != "list"
            or kind.item is None
            or kind.item.name != "int"
        ):
            continue
        found = hoistable(module, items, list(rings(module, node)))
        if found is None or not _is_within(module, node, cut.upper, items) or module.function(node) is None:
            continue
        key = (found[0], items.id)
        groups[key].append((node, module.segment(cut.upper)))
        notes[key] = conditions(found[1].assumes, "" if kind.sure and kind.item.sure else "annotations are true")
    for (statement, name), calls in groups.items():
        draft = Draft(module)
        accumulate = draft.imported("itertools", "accumulate", at=statement)
        fresh = draft.fresh(f"{name}_sums")
        draft.before(statement, f"{fresh} = [0, *{accumulate}({name})]")
        for call, position in calls:
            draft.replace(call, f"{fresh}[{position}]")
        yield from draft.rewrite(calls[0][0], f"add `{name}` up once", notes[statement, name])


def _is_within(module: ParsedModule, node: ast.AST, position: ast.expr, items: ast.Name) -> bool:
    """Whether a position is `i` or `i + 1`, with `i` from `range(len(items))` or `enumerate(items)` alone."""
    if (
        isinstance(position, ast.BinOp)
        and isinstance(position.op, ast.Add)
        and isinstance(position.right, ast.Constant)
    ):
        if position.right.value != 1:
            return False
        position = position.left
    if not isinstance(position, ast.Name) or len(bound := module.names.bindings(position)) != 1:
        return False
    by = bound[0].by
    if (
        not isinstance(by, ast.For | ast.comprehension)
        or not isinstance(call := by.iter, ast.Call)
        or len(call.args) != 1
    ):
        return False
    if module.names.is_builtin(call.func, "range") and bound[0].node is by.target:
        length = call.args[0]
        return (
            isinstance(length, ast.Call) and module.names.is_builtin(length.func, "len") and same(length.args[0], items)
        )
    first = isinstance(by.target, ast.Tuple) and by.target.elts[0] is bound[0].node
    return first and module.names.is_builtin(call.func, "enumerate") and same(call.args[0], items)


PREFIX_SUMS = Rule("prefix_sums", "running sums are made in one pass; a sum for every position is quadratic", find)
