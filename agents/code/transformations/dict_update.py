"""Update a dict with one look-up instead of two or three.

    if k not in d:                    →   d.setdefault(k, []).append(v)
        d[k] = []
    d[k].append(v)

    if k in d: d[k] += n              →   d[k] = d.get(k, 0) + n
    else: d[k] = n

For dicts that the code shows to be plain ones, with keys that are plain to evaluate.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import functions, own_nodes
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.purity import purity
from agents.code.transformations.analysis.shapes import same
from agents.code.transformations.counter import counting
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule

__all__ = ["DICT_UPDATE"]

_GROWS = frozenset({"append", "add", "extend", "update"})


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for function in functions(module):
        for node in own_nodes(function):
            if isinstance(node, ast.If):
                yield from _grouping(module, node)
                yield from _summing(module, node)


def _grouping(module: ParsedModule, test: ast.If) -> Iterator[Rewrite]:
    after = module.following(test)
    found = _absent(test)
    if found is None or not isinstance(after, ast.Expr) or not isinstance(call := after.value, ast.Call):
        return
    container, key, start = found
    func = call.func
    if not isinstance(func, ast.Attribute) or func.attr not in _GROWS or not isinstance(func.value, ast.Subscript):
        return
    target = func.value
    if not same(target.value, container) or not same(target.slice, key) or not _is_empty_container(module, start):
        return
    note = _plain(module, container, key)
    if note is None or any(
        isinstance(each, ast.Name) and each.id == container.id for arg in call.args for each in ast.walk(arg)
    ):
        return
    draft = Draft(module)
    given = ", ".join(module.segment(each) for each in call.args)
    if call.keywords:
        return
    text = f"{container.id}.setdefault({module.segment(key)}, {module.segment(start)}).{func.attr}({given})"
    draft.swap(test, after, text)
    yield from draft.rewrite(test, f"group into `{container.id}` with setdefault", note)


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


def _is_empty_container(module: ParsedModule, value: ast.expr) -> bool:
    if isinstance(value, ast.List):
        return not value.elts
    if isinstance(value, ast.Dict):
        return not value.keys
    return (
        isinstance(value, ast.Call)
        and module.names.is_builtin(value.func, "set", "list", "dict")
        and not value.args + value.keywords
    )


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
    return "" if kind.sure else "annotations are true, and the dict is no subclass with `__missing__`"


DICT_UPDATE = Rule("dict_update", "a key is looked up once instead of two or three times", find)
