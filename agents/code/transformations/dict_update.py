"""Update a dict with one look-up instead of two or three.

    groups = {}                            groups = collections.defaultdict(list)
    for x in xs:                           for x in xs:
        if x.key not in groups:     →          groups[x.key].append(x)
            groups[x.key] = []             groups = dict(groups)
        groups[x.key].append(x)

    if k in d: d[k] += 1            →      d[k] = d.get(k, 0) + 1
    else: d[k] = 1

The first (also for `groups.setdefault(k, []).append(x)`) where the loop uses the dict for nothing else; it is a plain
dict again afterwards. `setdefault` alone was measured to be no faster than the test.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from agents.code.transformations.analysis.flow import functions, guarded, loops, own_nodes
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import INT
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.purity import purity
from agents.code.transformations.analysis.shapes import (
    assigned,
    each_reference,
    names_in,
    same,
    starts_just_before,
)
from agents.code.transformations.analysis.uses import use_of
from agents.code.transformations.counter import counting
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule, conditions

__all__ = ["DICT_UPDATE"]

_GROWS = frozenset({"append", "add", "extend", "update"})


@dataclass(frozen=True)
class _Grouping:
    """Statements that put something into the group of a key: a test and a call, or one call with `setdefault`."""

    first: ast.stmt
    last: ast.Expr
    name: str
    key: ast.expr
    factory: str
    grow: str
    given: ast.expr

    @property
    def statements(self) -> set[ast.stmt]:
        inner = self.first.body if isinstance(self.first, ast.If) else []
        return {self.first, self.last, *inner}


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for loop in loops(module):
        found = [group for each in own_nodes(loop) if isinstance(each, ast.stmt) and (group := _grouping(module, each))]
        for name in dict.fromkeys(group.name for group in found):
            yield from _by_default(module, loop, [group for group in found if group.name == name])
    for function in functions(module):
        for node in own_nodes(function):
            if isinstance(node, ast.If):
                yield from _summing(module, node)


def _by_default(module: ParsedModule, loop: ast.For | ast.While, groups: list[_Grouping]) -> Iterator[Rewrite]:
    name = groups[0].name
    start = starts_just_before(module, name, loop)
    if (
        not start
        or guarded(module, loop)
        or len({group.factory for group in groups}) != 1
        or not _is_new_dict(module, start[1])
    ):
        return
    scope = module.scope(loop).owner
    known = {statement for group in groups for statement in group.statements}
    inside = set(ast.walk(loop))
    for each in module.names.references(scope, name):
        if module.scope(each).owner is not scope or (each in inside and module.statement(each) not in known):
            return
    if "dict" in module.names.top.bindings or module.names.star_import:
        return
    draft = Draft(module)
    default = draft.imported("collections", "defaultdict", at=loop)
    draft.replace(start[1], f"{default}({groups[0].factory})")
    for group in groups:
        text = f"{name}[{module.segment(group.key)}].{group.grow}({module.segment(group.given)})"
        draft.swap(group.first, group.last, text)
    draft.after(loop, f"{name} = dict({name})")
    yield from draft.rewrite(groups[0].first, f"group into `{name}` by default")


def _grouping(module: ParsedModule, statement: ast.stmt) -> _Grouping | None:
    last = module.following(statement) if isinstance(statement, ast.If) else statement
    call = last.value if isinstance(last, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr not in _GROWS:
        return None
    if call.keywords or len(call.args) != 1 or isinstance(call.args[0], ast.Starred) or not isinstance(last, ast.Expr):
        return None
    owner = call.func.value
    if isinstance(statement, ast.If):
        absent = _absent(statement)
        fits = (
            absent
            and isinstance(owner, ast.Subscript)
            and same(owner.value, absent[0])
            and same(owner.slice, absent[1])
        )
        if not absent or not fits:
            return None
        container, key, value = absent
    else:
        single = (
            isinstance(owner, ast.Call) and isinstance(owner.func, ast.Attribute) and owner.func.attr == "setdefault"
        )
        if (
            not single
            or not isinstance(owner, ast.Call)
            or len(owner.args) != 2
            or not isinstance(owner.func, ast.Attribute)
        ):
            return None
        if not isinstance(owner.func.value, ast.Name):
            return None
        container, (key, value) = owner.func.value, owner.args
    factory = _factory(module, value)
    if factory is None or container.id in names_in(key) | names_in(call.args[0]) or not purity(module).expression(key):
        return None
    return _Grouping(statement, last, container.id, key, factory, call.func.attr, call.args[0])


def _absent(test: ast.If) -> tuple[ast.Name, ast.expr, ast.expr] | None:
    """Container, key and first value of `if key not in container: container[key] = value`."""
    compare = test.test
    if test.orelse or len(test.body) != 1 or not isinstance(compare, ast.Compare) or len(compare.ops) != 1:
        return None
    step = test.body[0]
    container = compare.comparators[0]
    if (
        not isinstance(compare.ops[0], ast.NotIn)
        or not isinstance(container, ast.Name)
        or not isinstance(step, ast.Assign)
    ):
        return None
    target = step.targets[0]
    if len(step.targets) != 1 or not isinstance(target, ast.Subscript) or not same(target.value, container):
        return None
    return (container, compare.left, step.value) if same(target.slice, compare.left) else None


def _factory(module: ParsedModule, value: ast.expr) -> str | None:
    """The builtin that makes the empty container written here."""
    if isinstance(value, ast.List) and not value.elts:
        word = "list"
    elif isinstance(value, ast.Dict) and not value.keys:
        word = "dict"
    elif isinstance(value, ast.Call) and module.names.is_builtin(value.func, "set", "list", "dict"):
        assert isinstance(value.func, ast.Name)
        word = value.func.id if not value.args and not value.keywords else ""
    else:
        word = ""
    return word if word and word not in module.names.top.bindings else None


def _is_new_dict(module: ParsedModule, value: ast.expr) -> bool:
    return _factory(module, value) == "dict"


def _summing(module: ParsedModule, test: ast.If) -> Iterator[Rewrite]:
    counted = counting((test,))
    if counted is None or not isinstance(test.test, ast.Compare):
        return
    container = test.test.comparators[0]
    note = _plain(module, container, counted[1]) if isinstance(container, ast.Name) else None
    if note is None or not isinstance(container, ast.Name):
        return
    draft = Draft(module)
    key = module.segment(counted[1])
    draft.swap(test, test, f"{container.id}[{key}] = {container.id}.get({key}, 0) + 1")
    yield from draft.rewrite(test, f"count in `{container.id}` with get", note)


def _plain(module: ParsedModule, container: ast.Name, key: ast.expr) -> str | None:
    """The condition under which both forms are the same; None where they may not be."""
    kind = kind_of(module, container)
    if kind is None or kind.name != "dict" or not purity(module).expression(key):
        return None
    return conditions(
        "" if kind.sure else "annotations are true; the dict is no subclass with `__missing__`",
        "" if kind.value == INT or _holds_numbers(module, container) else "the counts are numbers",
    )


def _holds_numbers(module: ParsedModule, container: ast.Name) -> bool:
    """Whether all that is ever put into a dict made here is a number, so that `+=` changes no object in place."""
    bound = module.names.bindings(container)
    if not all((found := assigned(each.by)) and _is_new_dict(module, found[1]) for each in bound):
        return False
    for each in each_reference(module, container):
        above = module.parent(each)
        if use_of(module, each) in ("read", "rebind", "return"):
            continue
        step = module.parent(above) if isinstance(above, ast.Subscript) else None
        value = step.value if isinstance(step, ast.Assign | ast.AugAssign) else None
        kind = kind_of(module, value)
        if kind is None or kind.name not in ("int", "float", "bool"):
            return False
    return True


DICT_UPDATE = Rule("dict_update", "a key is looked up once instead of two or three times", find)
