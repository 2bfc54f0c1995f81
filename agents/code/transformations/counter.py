"""Count with `collections.Counter`, whose loop is written in C.

    counts = {}
    for w in words:
        if w in counts:                 →       counts = dict(collections.Counter(words))
            counts[w] += 1
        else:
            counts[w] = 1

The result is a plain dict (or the defaultdict it was), with the keys in the same order.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import loops
from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.purity import purity
from agents.code.transformations.analysis.shapes import (
    becomes_expression,
    filtered_loop,
    names_in,
    same,
    starts_just_before,
)
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule

__all__ = ["COUNTER", "counting"]

_NOT_MAPPINGS = frozenset(
    {"list", "str", "tuple", "set", "frozenset", "iterator", "view", "range", "file", "deque", "bytes"}
)


def counting(statements: tuple[ast.stmt, ...]) -> tuple[str, ast.expr] | None:
    """The dict and the key of statements that add one to a count, in any of the usual ways."""
    last = statements[-1]
    if len(statements) == 1 and isinstance(last, ast.If) and len(last.body) == len(last.orelse) == 1:
        tested = _membership(last.test)
        if tested is None:
            return None
        present, absent = (last.body[0], last.orelse[0]) if tested[2] else (last.orelse[0], last.body[0])
        plus, first = _adds_one(present), _sets(absent, 1)
        return tested[:2] if _agree(tested, plus) and _agree(tested, first) else None
    if (
        len(statements) == 2
        and isinstance(start := statements[0], ast.If)
        and not start.orelse
        and len(start.body) == 1
    ):
        tested = _membership(start.test)
        agree = tested and not tested[2] and _agree(tested, _sets(start.body[0], 0)) and _agree(tested, _adds_one(last))
        return tested[:2] if tested and agree else None
    if len(statements) == 1:
        return _gets_plus_one(last)
    return None


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for loop in loops(module):
        found = filtered_loop(loop) if isinstance(loop, ast.For) else None
        if found is None:
            continue
        counted = counting(found.statements)
        by_default = counted is None and found.body is not None
        if by_default and found.body is not None:
            counted = _adds_one(found.body)
        start = counted and starts_just_before(module, counted[0], loop)
        if not counted or not start or not becomes_expression(module, found, counted[1]):
            continue
        name, key = counted
        if any(name in names_in(each) for each in (key, found.loop.iter, *found.conditions)):
            continue
        if not by_default and not isinstance(key, ast.Name) and not purity(module).expression(key):
            continue  # it was evaluated twice
        wrapper = _wrapper(module, start[1], by_default)
        if wrapper is None:
            continue
        draft = Draft(module)
        counter = draft.imported("collections", "Counter", at=loop)
        kind = kind_of(module, found.loop.iter)
        if not found.conditions and same(key, found.loop.target):
            text = module.segment(found.loop.iter)
            given = text if kind and kind.name in _NOT_MAPPINGS else f"iter({text})"
        else:
            given = f"{module.operand(key)} {found.clauses(module)}"
        draft.settle(start[0], loop, wrapper.format(f"{counter}({given})"))
        yield from draft.rewrite(found.statements[-1], f"count `{name}` with a Counter")


def _wrapper(module: ParsedModule, start: ast.expr, by_default: bool) -> str | None:
    """What the counts are put in: a dict, or a defaultdict of int where a bare `+= 1` needs one."""
    if isinstance(start, ast.Call) and dotted(module, start.func) == "collections.defaultdict":
        plain = len(start.args) == 1 and not start.keywords and module.names.is_builtin(start.args[0], "int")
        return f"{module.segment(start.func)}({module.segment(start.args[0])}, {{}})" if plain and by_default else None
    empty = isinstance(start, ast.Dict) and not start.keys
    called = (
        isinstance(start, ast.Call) and module.names.is_builtin(start.func, "dict") and not start.args + start.keywords
    )
    if by_default or not (empty or called) or "dict" in module.names.top.bindings:
        return None
    return "dict({})"


def _membership(test: ast.expr) -> tuple[str, ast.expr, bool] | None:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and (inner := _membership(test.operand)):
        return inner[0], inner[1], not inner[2]
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.In | ast.NotIn):
        container = test.comparators[0]
        if isinstance(container, ast.Name):
            return container.id, test.left, isinstance(test.ops[0], ast.In)
    return None


def _item(target: ast.expr) -> tuple[str, ast.expr] | None:
    if (
        isinstance(target, ast.Subscript)
        and isinstance(target.value, ast.Name)
        and not isinstance(target.slice, ast.Slice)
    ):
        return target.value.id, target.slice
    return None


def _is_number(node: ast.expr, number: int) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value == number


def _adds_one(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add) and _is_number(statement.value, 1):
        return _item(statement.target)
    if (
        (
            isinstance(statement, ast.Assign)
            and len(statement.targets) == 1
            and isinstance(plus := statement.value, ast.BinOp)
        )
        and isinstance(plus.op, ast.Add)
        and _is_number(plus.right, 1)
        and same(plus.left, statement.targets[0])
    ):
        return _item(statement.targets[0])
    return None


def _sets(statement: ast.stmt, number: int) -> tuple[str, ast.expr] | None:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and _is_number(statement.value, number):
        return _item(statement.targets[0])
    return None


def _gets_plus_one(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    if (
        not isinstance(statement, ast.Assign)
        or len(statement.targets) != 1
        or not isinstance(plus := statement.value, ast.BinOp)
    ):
        return None
    item, got = _item(statement.targets[0]), plus.left
    if item is None or not isinstance(plus.op, ast.Add) or not _is_number(plus.right, 1):
        return None
    if (
        not isinstance(got, ast.Call)
        or not isinstance(got.func, ast.Attribute)
        or got.func.attr != "get"
        or len(got.args) != 2
    ):
        return None
    owner = got.func.value
    fits = (
        isinstance(owner, ast.Name)
        and owner.id == item[0]
        and same(got.args[0], item[1])
        and _is_number(got.args[1], 0)
    )
    return item if fits else None


def _agree(tested: tuple[str, ast.expr, bool], item: tuple[str, ast.expr] | None) -> bool:
    return item is not None and tested[0] == item[0] and same(tested[1], item[1])


COUNTER = Rule("counter", "counting is done by a loop in C instead of one in Python", find)
