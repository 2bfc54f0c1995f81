"""Let a container of the function grow in place, not by a copy each time.

    out = out + [x]          →   out.append(x)
    out = out + more         →   out.extend(more)
    out = {**out, k: v}      →   out[k] = v
    out = out | {x}          →   out.add(x)
    out.insert(0, x)         →   out.append(x), and out.reverse() after the loop

In a loop, for containers that the function made itself and that nothing else holds.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import guarded, loops
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.origins import is_fresh
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import (
    assigned,
    each_reference,
    in_any_order,
    method,
    names_in,
)
from agents.code.transformations.analysis.uses import use_of
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule

__all__ = ["LIST_GROWTH"]


def find(module: ParsedModule) -> Iterator[Rewrite]:
    done: set[ast.AST] = set()
    for loop in loops(module):
        for statement in ast.walk(loop):
            if (
                isinstance(statement, ast.stmt)
                and statement not in done
                and module.scope(statement) is module.scope(loop)
            ):
                done.add(statement)
                yield from _copying(module, statement)
        yield from _at_the_front(module, loop)


def _copying(module: ParsedModule, statement: ast.stmt) -> Iterator[Rewrite]:
    found = assigned(statement)
    if not found or isinstance(statement, ast.AnnAssign):
        return
    name, value = found
    text = _in_place(module, name, value)
    if text is None or not _belongs(module, name) or _is_final(module, statement):
        return
    draft = Draft(module)
    draft.swap(statement, statement, text)
    yield from draft.rewrite(statement, f"let `{name.id}` grow in place")


def _is_final(module: ParsedModule, statement: ast.stmt) -> bool:
    """Whether it stands in a `finally`, which runs when the container may have been returned already."""
    child: ast.AST = statement
    for each in module.ancestors(statement):
        if isinstance(each, ast.Try | ast.TryStar) and child in each.finalbody:
            return True
        child = each
    return False


def _in_place(module: ParsedModule, name: ast.Name, value: ast.expr) -> str | None:
    kind = kind_of(module, name)
    if kind is None:
        return None
    if isinstance(value, ast.BinOp) and isinstance(value.left, ast.Name) and value.left.id == name.id:
        right = value.right
        if name.id in names_in(right):
            return None
        if kind.name == "list" and isinstance(value.op, ast.Add):
            if isinstance(right, ast.List) and len(right.elts) == 1 and not isinstance(right.elts[0], ast.Starred):
                return f"{name.id}.append({module.segment(right.elts[0])})"
            other = kind_of(module, right)
            return f"{name.id}.extend({module.segment(right)})" if other and other.name == "list" else None
        if kind.name == "set" and isinstance(value.op, ast.BitOr):
            if isinstance(right, ast.Set) and len(right.elts) == 1 and not isinstance(right.elts[0], ast.Starred):
                return f"{name.id}.add({module.segment(right.elts[0])})"
            other = kind_of(module, right)
            return (
                f"{name.id}.update({module.segment(right)})" if other and other.name in ("set", "frozenset") else None
            )
    if kind.name == "dict" and isinstance(value, ast.Dict) and len(value.keys) == 2 and value.keys[0] is None:
        base, key, item = value.values[0], value.keys[1], value.values[1]
        fits = isinstance(base, ast.Name) and base.id == name.id and key is not None
        if (
            fits
            and key is not None
            and name.id not in names_in(key) | names_in(item)
            and in_any_order(module, key, item)
        ):
            return f"{name.id}[{module.segment(key)}] = {module.operand(item)}"
    return None


def _belongs(module: ParsedModule, name: ast.Name) -> bool:
    """Whether every object the name ever stands for is new, and only this name holds it."""
    home = module.names.home(name)
    for binding in module.names.bindings(name):
        found = assigned(binding.by)
        if not found or (not is_fresh(module, found[1]) and _in_place(module, found[0], found[1]) is None):
            return False
    uses = each_reference(module, name)
    if any(module.scope(each).owner is not home for each in uses):
        return False
    return all(use_of(module, each) != "alias" or _is_spread(module, each) for each in uses) and not any(
        _is_iterated_here(module, each) for each in uses
    )


def _is_spread(module: ParsedModule, name: ast.Name) -> bool:
    above = module.parent(name)
    return isinstance(above, ast.Dict) and any(
        key is None and value is name for key, value in zip(above.keys, above.values, strict=True)
    )


def _is_iterated_here(module: ParsedModule, name: ast.Name) -> bool:
    """A loop over the container itself that also lets it grow saw the old one so far."""
    around = [each for each in module.ancestors(name) if isinstance(each, ast.For) and name in set(ast.walk(each.iter))]
    inside = {each for loop in around for each in ast.walk(loop)}
    stores = [each for each in each_reference(module, name) if not isinstance(each.ctx, ast.Load)]
    return any(each in inside for each in stores)


def _at_the_front(module: ParsedModule, loop: ast.For | ast.While) -> Iterator[Rewrite]:
    if loop.orelse or guarded(module, loop):
        return
    scope = module.scope(loop).owner
    inside = set(ast.walk(loop))
    inserts: dict[str, list[ast.Call]] = {}
    for each in inside:
        receiver = method(each, "insert", arguments=2)
        if isinstance(receiver, ast.Name) and isinstance(each, ast.Call) and isinstance(module.parent(each), ast.Expr):
            first = each.args[0]
            if isinstance(first, ast.Constant) and first.value == 0:
                inserts.setdefault(receiver.id, []).append(each)
    for name, calls in sorted(inserts.items()):
        receiver = method(calls[0], "insert")
        assert isinstance(receiver, ast.Name)
        here = [each for each in each_reference(module, receiver) if each in inside]
        if scope.lookup(name) is not scope or len(here) != len(calls) or not _starts_empty(module, receiver, loop):
            continue
        if any(isinstance(each, ast.Return) for each in inside) and any(
            module.scope(each).owner is not scope for each in each_reference(module, receiver)
        ):
            continue
        draft = Draft(module)
        for call in calls:
            draft.replace(call, f"{name}.append({module.segment(call.args[1])})")
        draft.after(loop, f"{name}.reverse()")
        yield from draft.rewrite(
            min(calls, key=lambda call: call.lineno), f"fill `{name}` from the end and turn it round"
        )


def _starts_empty(module: ParsedModule, name: ast.Name, loop: ast.stmt) -> bool:
    """Whether the list is a new empty one in the block of the loop, untouched until then and held by nothing else."""
    bound = module.names.bindings(name)
    found = assigned(bound[0].by) if len(bound) == 1 else None
    if (
        not found
        or not isinstance(found[1], ast.List)
        or found[1].elts
        or not isinstance(start := bound[0].by, ast.stmt)
    ):
        return False
    block = module.block(loop)
    if start not in block or block.index(start) > block.index(loop):
        return False
    between = block[block.index(start) + 1 : block.index(loop)]
    untouched = all(name.id not in names_in(each) for each in between)
    return untouched and all(use_of(module, each) != "alias" for each in each_reference(module, name))


LIST_GROWTH = Rule("list_growth", "growing in place copies nothing; `out = out + …` copies everything each time", find)
