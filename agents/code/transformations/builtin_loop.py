"""Let a builtin do what a loop does by hand.

    total = 0                              for x in xs:                best = xs[0]
    for x in xs:                               if x == y:              for x in xs:
        total += x                                 return True             if x < best:
                                           return False                        best = x
    ↓                                      ↓                           ↓
    total = sum(xs)                        return y in xs              best = min(xs)

Sums of whole numbers only (`sum` rounds sums of floats differently since Python 3.12); `min` and `max` keep the
IndexError of an empty list because `best = xs[0]` stays.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import loops, stable
from agents.code.transformations.analysis.hashing import hash_note
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import Kind, iterated
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import (
    Filter,
    assigned,
    becomes_expression,
    filtered_loop,
    names_in,
    same,
    starts_just_before,
)
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule, conditions

__all__ = ["BUILTIN_LOOP"]


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for loop in loops(module):
        found = filtered_loop(loop) if isinstance(loop, ast.For) else None
        if found is not None and found.body is not None:
            yield from _sum(module, found)
            yield from _membership(module, found)
            yield from _extreme(module, found)


def _free(module: ParsedModule, loop: ast.AST, name: str) -> bool:
    return module.scope(loop).lookup(name) is None and not module.names.star_import


def _sum(module: ParsedModule, found: Filter) -> Iterator[Rewrite]:
    step = found.body
    if not isinstance(step, ast.AugAssign) or not isinstance(step.op, ast.Add) or not isinstance(step.target, ast.Name):
        return
    name = step.target.id
    start = starts_just_before(module, name, found.loop)
    value, kind = step.value, kind_of(module, step.value)
    if (
        not start
        or not isinstance(start[1], ast.Constant)
        or type(start[1].value) is not int
        or not _free(module, found.loop, "sum")
    ):
        return
    if kind is None or kind.name not in ("int", "bool") or not becomes_expression(module, found, value):
        return
    if any(name in names_in(each) for each in (value, found.loop.iter, *found.conditions)):
        return
    plain = not found.conditions and same(value, found.loop.target)
    one = isinstance(value, ast.Constant) and value.value == 1 and not found.conditions
    items = kind_of(module, found.loop.iter)
    if one and items and items.name in ("list", "str", "tuple", "dict", "set", "range"):
        total = f"len({module.segment(found.loop.iter)})"
    elif plain:
        total = f"sum({module.segment(found.loop.iter)})"
    else:
        total = f"sum([{module.operand(value)} {found.clauses(module)}])"
    if start[1].value != 0:
        total = f"{start[1].value} + {total}"
    draft = Draft(module)
    draft.settle(start[0], found.loop, total)
    yield from draft.rewrite(step, f"add up `{name}` with a builtin", "" if kind.sure else "annotations are true")


def _membership(module: ParsedModule, found: Filter) -> Iterator[Rewrite]:
    after = module.following(found.loop)
    hit, miss = found.body, after
    if not isinstance(hit, ast.Return) or not isinstance(miss, ast.Return) or len(found.conditions) != 1:
        return
    values = [each.value.value for each in (hit, miss) if isinstance(each.value, ast.Constant)]
    if values not in ([True, False], [False, True]) or not all(type(value) is bool for value in values):
        return
    test = found.conditions[0]
    if (
        not isinstance(test, ast.Compare)
        or len(test.ops) != 1
        or not isinstance(test.ops[0], ast.Eq)
        or not isinstance(found.loop.target, ast.Name)
    ):
        return
    sides = [test.left, test.comparators[0]]
    item = next((each for each in sides if same(each, found.loop.target)), None)
    other = next((each for each in sides if each is not item), None)
    if item is None or other is None or found.loop.target.id in names_in(other):
        return
    settled = stable(module, other, found.loop)
    kind = kind_of(module, found.loop.iter)
    if settled is None or not isinstance(other, ast.Name | ast.Constant) or (kind and kind.name == "str"):
        return
    if kind is None or kind.name not in ("list", "tuple", "set", "dict", "view", "range", "frozenset"):
        return
    draft = Draft(module)
    word = "in" if values[0] else "not in"
    draft.swap(found.loop, miss, f"return {module.segment(other)} {word} {module.atom(found.loop.iter)}")
    exact = _is_exact(iterated(kind))
    hashed = "" if kind.name in ("list", "tuple", "range") else hash_note(module, other)
    if hashed is None:
        return
    note = conditions(
        hashed,
        "" if exact else "the values are equal to themselves (no NaN)",
        "" if kind.sure else "annotations are true",
    )
    yield from draft.rewrite(hit, "search with `in`", note)


def _is_exact(kind: Kind | None) -> bool:
    return kind is not None and kind.name in ("int", "str", "bytes", "bool")


def _extreme(module: ParsedModule, found: Filter) -> Iterator[Rewrite]:
    step = assigned(found.body)
    if (
        not step
        or isinstance(found.body, ast.AnnAssign)
        or len(found.conditions) != 1
        or not same(step[1], found.loop.target)
    ):
        return
    name, test = step[0], found.conditions[0]
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Lt | ast.Gt):
        return
    left, right = test.left, test.comparators[0]
    if same(left, found.loop.target) and same(right, name):
        word = "min" if isinstance(test.ops[0], ast.Lt) else "max"
    elif same(right, found.loop.target) and same(left, name):
        word = "max" if isinstance(test.ops[0], ast.Lt) else "min"
    else:
        return
    start = starts_just_before(module, name.id, found.loop)
    items = found.loop.iter
    if isinstance(items, ast.Subscript) and isinstance(items.slice, ast.Slice):
        rest = items.slice
        if rest.upper or rest.step or not isinstance(rest.lower, ast.Constant) or rest.lower.value != 1:
            return
        items = items.value
    kind = kind_of(module, items)
    first = start[1] if start else None
    if (
        not start
        or not isinstance(items, ast.Name)
        or kind is None
        or kind.name not in ("list", "tuple")
        or not _free(module, found.loop, word)
    ):
        return
    fits = (
        isinstance(first, ast.Subscript)
        and same(first.value, items)
        and isinstance(first.slice, ast.Constant)
        and first.slice.value == 0
    )
    if not fits or not isinstance(name, ast.Name) or not becomes_expression(module, found, step[1]):
        return
    draft = Draft(module)
    draft.swap(found.loop, found.loop, f"{name.id} = {word}({items.id})")
    yield from draft.rewrite(test, f"find `{name.id}` with a builtin", "" if kind.sure else "annotations are true")


BUILTIN_LOOP = Rule("builtin_loop", "sum, min, max and `in` loop in C", find)
