"""Do not copy what is only gone over once.

    sorted(list(xs))   sorted(set(…)) stays    →   sorted(xs)
    set([f(x) for x in xs])                    →   {f(x) for x in xs}
    any([f(x) for x in xs])                    →   any(f(x) for x in xs)       (pure f: it may stop early)
    "".join(list(xs)),  len(list(xs)), …       →   "".join(xs),  len(xs)
    for x in list(xs):                         →   for x in xs:                (xs does not change in the loop)

Lists inside `sum` and `join` are left: measured, a generator is slower there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import functions, loops, stability
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import CONTAINERS
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.purity import purity
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule, conditions

__all__ = ["DROP_COPY"]


def find(module: ParsedModule) -> Iterator[Rewrite]:
    inside = {node for function in functions(module) for node in ast.walk(function)}
    for node in module.nodes:
        if (node in inside and isinstance(node, ast.Call) and not node.keywords and len(node.args) == 1) or (
            node in inside and isinstance(node, ast.Call) and node.args and module.names.is_builtin(node.func, "sorted")
        ):
            yield from _argument(module, node)
    for loop in loops(module):
        inner = _copied(module, loop.iter) if isinstance(loop, ast.For) else None
        if isinstance(inner, ast.Name) and isinstance(loop, ast.For):
            settled, kind = stability(module, inner, loop), kind_of(module, inner)
            if settled is not None and kind is not None and kind.name in CONTAINERS:
                draft = Draft(module)
                draft.replace(loop.iter, inner.id)
                yield from draft.rewrite(loop.iter, f"go over `{inner.id}` itself", settled.assumes)


def _copied(module: ParsedModule, node: ast.expr) -> ast.expr | None:
    """What `list(…)` or `tuple(…)` copies."""
    if (
        not isinstance(node, ast.Call)
        or not module.names.is_builtin(node.func, "list", "tuple")
        or len(node.args) != 1
        or node.keywords
    ):
        return None
    return None if isinstance(node.args[0], ast.Starred | ast.GeneratorExp) else node.args[0]


def _argument(module: ParsedModule, call: ast.Call) -> Iterator[Rewrite]:
    given = call.args[0]
    draft = Draft(module)
    joins = (
        isinstance(call.func, ast.Attribute) and call.func.attr == "join" and isinstance(call.func.value, ast.Constant)
    )
    if isinstance(given, ast.ListComp):
        inner = module.segment(given)[1:-1]
        if "\n" in inner or any(isinstance(each, ast.NamedExpr | ast.Await) for each in ast.walk(given)):
            return
        if module.names.is_builtin(call.func, "set"):
            draft.replace(call, "{" + inner.strip() + "}")
            yield from draft.rewrite(call, "make the set directly")
        elif module.names.is_builtin(call.func, "any", "all") and all(
            purity(module).expression(each) for each in _parts(given)
        ):
            source = given.generators[0].iter
            kind = kind_of(module, source)
            if kind is None and isinstance(source, ast.Call | ast.Attribute):
                return  # it may be an iterator that somebody goes on with
            if kind is not None and kind.name not in CONTAINERS | {"str", "range", "view", "bytes", "sequence"}:
                return
            known = "" if kind is not None else "it goes over a container, not an iterator that is used again"
            draft.replace(given, inner.strip())
            note = conditions(known, "the test does not fail for later items")
            yield from draft.rewrite(call, "stop at the first answer", note)
        return
    copied = _copied(module, given)
    if copied is None:
        return
    kind = kind_of(module, copied)
    if module.names.is_builtin(call.func, "len"):
        if kind is None or kind.name not in CONTAINERS | {"str", "view", "range"}:
            return
    elif module.names.is_builtin(call.func, "any", "all"):
        if kind is None or kind.name not in CONTAINERS:
            return  # an iterator would be read to its end only with the copy
    elif not joins and not module.names.is_builtin(
        call.func, "sorted", "set", "frozenset", "sum", "min", "max", "tuple", "list"
    ):
        return
    draft.replace(given, module.segment(copied))
    yield from draft.rewrite(call, "leave the copy out", "" if kind is None or kind.sure else "annotations are true")


def _parts(node: ast.ListComp) -> list[ast.expr]:
    return [node.elt, *(each for clause in node.generators for each in [clause.iter, *clause.ifs])]


DROP_COPY = Rule("drop_copy", "no list is built only to be thrown away", find)
