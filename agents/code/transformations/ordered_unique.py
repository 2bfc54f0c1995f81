"""Drop repeated items with a hash, not by searching the result each time.

    out = []
    for x in xs:                      →   out = list(dict.fromkeys(xs))
        if x not in out:
            out.append(x)

Where the loop does more than that, it gets a set of what it has seen:  `if x not in out_set`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import Loop, loops
from agents.code.transformations.analysis.hashing import hash_note
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.origins import is_fresh
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.purity import purity
from agents.code.transformations.analysis.shapes import (
    assigned,
    becomes_expression,
    each_reference,
    filtered_loop,
    method,
    names_in,
    same,
    starts_just_before,
)
from agents.code.transformations.analysis.uses import use_of
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule, conditions

__all__ = ["ORDERED_UNIQUE"]


def find(module: ParsedModule) -> Iterator[Rewrite]:
    done: set[tuple[object, str]] = set()
    for loop in loops(module):
        for test in ast.walk(loop):
            if (
                not isinstance(test, ast.Compare)
                or len(test.ops) != 1
                or not isinstance(test.ops[0], ast.In | ast.NotIn)
            ):
                continue
            seen = test.comparators[0]
            if not isinstance(seen, ast.Name) or (module.scope(loop).owner, seen.id) in done:
                continue
            done.add((module.scope(loop).owner, seen.id))
            whole = _whole_loop(module, loop, seen) if isinstance(loop, ast.For) else None
            yield from _with_set(module, loop, seen) if whole is None else whole


def _whole_loop(module: ParsedModule, loop: ast.For, seen: ast.Name) -> list[Rewrite] | None:
    found = filtered_loop(loop)
    start = starts_just_before(module, seen.id, loop)
    if not found or not start or len(found.conditions) != 1 or not isinstance(found.body, ast.Expr):
        return None
    if not (isinstance(start[1], ast.List) and not start[1].elts):
        return None
    test, receiver = found.conditions[0], method(found.body.value, "append", arguments=1)
    if not isinstance(receiver, ast.Name) or receiver.id != seen.id or not isinstance(test, ast.Compare):
        return None
    assert isinstance(found.body.value, ast.Call)
    item = found.body.value.args[0]
    if not isinstance(test.ops[0], ast.NotIn) or not same(test.left, item) or not same(test.comparators[0], seen):
        return None
    if seen.id in names_in(item) | names_in(loop.iter) or not becomes_expression(module, found, item):
        return None
    if not isinstance(item, ast.Name) and not purity(module).expression(item):
        return None  # it was evaluated twice
    if {"list", "dict"} & set(module.names.top.bindings):
        return None
    draft = Draft(module)
    plain = same(item, loop.target)
    given = (
        module.segment(loop.iter)
        if plain
        else f"{module.atom(item)} for {module.segment(loop.target)} in {module.atom(loop.iter)}"
    )
    draft.settle(start[0], loop, f"list(dict.fromkeys({given}))")
    note = hash_note(module, item)
    if note is None:
        return []
    return list(draft.rewrite(found.body, f"drop repeated items of `{seen.id}` by hash", note))


def _with_set(module: ParsedModule, loop: Loop, seen: ast.Name) -> Iterator[Rewrite]:
    """A set beside a list that only grows by `append`."""
    scope = module.scope(loop).owner
    bound = module.names.bindings(seen)
    kind = kind_of(module, seen)
    if module.names.home(seen) is not scope or len(bound) != 1 or kind is None or kind.name != "list" or scope.dynamic:
        return
    start = assigned(bound[0].by)
    if start is None or not is_fresh(module, start[1]) or isinstance(start[1], ast.ListComp):
        return
    statement = bound[0].by
    if not isinstance(statement, ast.stmt):
        return
    draft = Draft(module)
    fresh = draft.fresh(f"{seen.id}_set")
    empty = isinstance(start[1], ast.List) and not start[1].elts
    draft.after(statement, f"{fresh} = set({'' if empty else seen.id})")
    grows, tests, items = False, [], []
    for each in each_reference(module, seen):
        if module.scope(each).owner is not scope:
            return
        above = module.parent(each)
        use = use_of(module, each)
        if (
            isinstance(above, ast.Compare)
            and len(above.ops) == 1
            and isinstance(above.ops[0], ast.In | ast.NotIn)
            and above.comparators[0] is each
        ):
            tests.append(above)
            draft.replace(each, fresh)
            continue
        if use == "grow":
            step = module.statement(each)
            if not isinstance(step, ast.Expr) or method(step.value, "append", arguments=1) is not each:
                return
            assert isinstance(step.value, ast.Call)
            item = step.value.args[0]
            if not isinstance(item, ast.Name | ast.Constant | ast.Attribute):
                return
            draft.after(step, f"{fresh}.add({module.segment(item)})")
            items.append(item)
            grows = True
        elif use not in ("read", "return", "rebind"):
            return
    if not grows or not tests:
        return
    note = hash_note(module, *(test.left for test in tests), *items)
    if note is None:
        return
    yield from draft.rewrite(tests[0], f"keep a set of what `{seen.id}` holds", conditions(note))


ORDERED_UNIQUE = Rule(
    "ordered_unique", "whether an item was seen is one hash look-up, not a search of all items so far", find
)
