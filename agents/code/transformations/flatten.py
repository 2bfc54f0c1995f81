"""Join lists with `itertools.chain`, not by adding them up.

    sum(rows, [])                                →   list(itertools.chain.from_iterable(rows))
    functools.reduce(operator.add, rows, [])     →   the same

Adding copies the growing sum for every part: quadratic in the length of the result.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import iterated
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule

__all__ = ["FLATTEN"]


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for node in module.nodes:
        if not isinstance(node, ast.Call) or module.function(node) is None or "list" in module.names.top.bindings:
            continue
        rows = _rows(module, node)
        if rows is None or isinstance(rows, ast.Starred):
            continue
        kind = iterated(kind_of(module, rows))
        if kind is not None and kind.name != "list":
            continue
        draft = Draft(module)
        chain = draft.imported("itertools", at=node)
        draft.replace(node, f"list({chain}.chain.from_iterable({module.segment(rows)}))")
        sure = kind is not None and kind.sure
        yield from draft.rewrite(node, "join lists by chaining them", "" if sure else "every part is a list")


def _rows(module: ParsedModule, call: ast.Call) -> ast.expr | None:
    if module.names.is_builtin(call.func, "sum"):
        start = (
            call.args[1] if len(call.args) == 2 else next((k.value for k in call.keywords if k.arg == "start"), None)
        )
        fits = call.args and isinstance(start, ast.List) and not start.elts and len(call.args) + len(call.keywords) == 2
        return call.args[0] if fits else None
    if dotted(module, call.func) == "functools.reduce" and len(call.args) == 3 and not call.keywords:
        adds, rows, start = call.args
        empty = isinstance(start, ast.List) and not start.elts
        return rows if empty and dotted(module, adds) in ("operator.add", "operator.concat", "operator.iadd") else None
    return None


FLATTEN = Rule("flatten", "every item is copied once; a sum of lists copies the growing result for every part", find)
