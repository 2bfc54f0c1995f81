"""Take the smallest or the first few without sorting everything.

    sorted(xs)[0]               →   heapq.nsmallest(1, xs)[0], or min(xs) where xs is known not to be empty
    sorted(xs, reverse=True)[0] →   the same with the largest
    sorted(xs, key=f)[:10]      →   heapq.nsmallest(10, xs, key=f)
    k in d.keys()               →   k in d

The first of equal items is taken, as `sorted` does; an empty list is an IndexError as before.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import functions
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import iterated
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import each_reference, method
from agents.code.transformations.analysis.uses import use_of
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule, conditions

__all__ = ["SINGLE_PASS", "order_note"]


def order_note(module: ParsedModule, iterable: ast.expr, keyed: bool = False) -> str:
    """The condition that the items can be put in one order; empty when they are numbers or texts for certain."""
    kind = kind_of(module, iterable)
    item = iterated(kind)
    if keyed or item is None or item.name not in ("int", "str", "bytes", "bool"):
        return "the items, or their keys, have one order (no NaN, no sets)"
    return "" if kind and kind.sure and item.sure else "annotations are true"


def find(module: ParsedModule) -> Iterator[Rewrite]:
    inside = {node for function in functions(module) for node in ast.walk(function)}
    for node in module.nodes:
        if node not in inside:
            continue
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            yield from _of_sorted(module, node)
        elif isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn):
            mapping = method(node.comparators[0], "keys", arguments=0)
            if mapping is not None:
                draft = Draft(module)
                draft.replace(node.comparators[0], module.atom(mapping))
                kind = kind_of(module, mapping)
                sure = kind is not None and kind.sure
                yield from draft.rewrite(
                    node, "look up in the mapping itself", "" if sure else "`keys()` are those of a dict"
                )


def _of_sorted(module: ParsedModule, node: ast.Subscript) -> Iterator[Rewrite]:
    call = node.value
    if not isinstance(call, ast.Call) or not module.names.is_builtin(call.func, "sorted") or len(call.args) != 1:
        return
    given = {k.arg: k.value for k in call.keywords}
    reverse = given.pop("reverse", ast.Constant(value=False))
    if isinstance(call.args[0], ast.Starred) or set(given) - {"key"} or not isinstance(reverse, ast.Constant):
        return
    key = f", key={module.segment(given['key'])}" if "key" in given else ""
    items = module.segment(call.args[0])
    if isinstance(call.args[0], ast.GeneratorExp) and not items.startswith("("):
        items = f"({items})"
    note = order_note(module, call.args[0], bool(key))
    largest = bool(reverse.value)
    draft = Draft(module)
    if (index := _number(node.slice)) is not None:
        if index not in (0, -1) or (index == -1 and (key or note not in ("", "annotations are true"))):
            return
        largest ^= index == -1
        if _is_never_empty(module, node, call.args[0]):
            name = "max" if largest else "min"
            if (
                not module.names.star_import
                and name not in module.names.top.bindings
                and module.scope(node).lookup(name) is None
            ):
                draft.replace(node, f"{name}({items}{key})")
                yield from draft.rewrite(node, "take the extreme without sorting", note)
            return
        n = draft.imported("heapq", "nlargest" if largest else "nsmallest", at=node)
        draft.replace(node, f"{n}(1, {items}{key})[0]")
        yield from draft.rewrite(node, "take the extreme without sorting", note)
    elif isinstance(node.slice, ast.Slice) and node.slice.lower is None and node.slice.step is None:
        count = node.slice.upper
        number = _number(count)
        if (number is None and not isinstance(count, ast.Name)) or (number is not None and number < 1) or count is None:
            return
        n = draft.imported("heapq", "nlargest" if largest else "nsmallest", at=node)
        draft.replace(node, f"{n}({module.segment(count)}, {items}{key})")
        at_least = "" if number else f"`{module.segment(count)}` is a whole number, and not negative"
        yield from draft.rewrite(node, "take the first few without sorting all", conditions(note, at_least))


def _number(node: ast.expr | None) -> int | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return None if inner is None else -inner
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def _is_never_empty(module: ParsedModule, node: ast.AST, items: ast.expr) -> bool:
    """Whether a test around, or an exit before, has made sure that a container has items."""
    if not isinstance(items, ast.Name) or any(
        use_of(module, each) not in ("read", "rebind", "return") for each in each_reference(module, items)
    ):
        return False
    if len(module.names.bindings(items)) != 1:
        return False

    def says(test: ast.expr) -> bool:
        return isinstance(test, ast.Name) and test.id == items.id

    child: ast.AST = node
    for each in module.ancestors(node):
        if isinstance(each, ast.If | ast.While) and child in each.body and says(each.test):
            return True
        if isinstance(child, ast.stmt):
            block = module.block(child)
            for before in block[: block.index(child)]:
                if (
                    isinstance(before, ast.If)
                    and isinstance(before.test, ast.UnaryOp)
                    and isinstance(before.test.op, ast.Not)
                ):
                    leaves = isinstance(before.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)
                    if says(before.test.operand) and leaves:
                        return True
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return False
        child = each
    return False


SINGLE_PASS = Rule(
    "single_pass", "one pass finds the smallest or the first few; sorting everything is not needed", find
)
