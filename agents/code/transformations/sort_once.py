"""Sort a list that does not change once, before the loop that sorts it in every round.

    for q in queries:               xs.sort()
        xs.sort()            →      for q in queries:
        use(xs, q)                      use(xs, q)

For lists the function made itself; when the loop may not run at all, the list must not be looked at afterwards.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import is_bound_before, loops, read_after, stability
from agents.code.transformations.analysis.origins import is_fresh
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.purity import purity
from agents.code.transformations.analysis.shapes import assigned, each_reference, names_in
from agents.code.transformations.analysis.uses import use_of
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule

__all__ = ["SORT_ONCE"]


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for loop in loops(module):
        if not isinstance(loop, ast.For) or loop.orelse:
            continue
        for statement in loop.body:
            call = statement.value if isinstance(statement, ast.Expr) else None
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr != "sort":
                continue
            items = call.func.value
            if (
                isinstance(items, ast.Name)
                and not call.args
                and _stays(module, loop, items, call)
                and len(loop.body) > 1
            ):
                draft = Draft(module)
                draft.before(loop, module.segment(statement))
                draft.remove(statement)
                yield from draft.rewrite(call, f"sort `{items.id}` once")


def _stays(module: ParsedModule, loop: ast.For, items: ast.Name, call: ast.Call) -> bool:
    scope = module.scope(loop).owner
    inside = set(ast.walk(loop))
    uses = each_reference(module, items)
    own = all((found := assigned(each.by)) and is_fresh(module, found[1]) for each in module.names.bindings(items))
    if not own or not is_bound_before(module, scope, items.id, loop) or read_after(module, items.id, loop):
        return False
    start = module.span(call)[0]
    for each in uses:
        if module.scope(each).owner is not scope or use_of(module, each) == "alias":
            return False
        if each in inside and each is not items and (use_of(module, each) != "read" or module.span(each)[0] < start):
            return False
    keys = [k.value for k in call.keywords]
    if not all(purity(module).expression(each) for each in keys):
        return False
    names = {name for key in keys for name in names_in(key)}
    lambdas = {
        arg.arg for key in keys for each in ast.walk(key) if isinstance(each, ast.Lambda) for arg in each.args.args
    }
    loaded = [
        each for key in keys for each in ast.walk(key) if isinstance(each, ast.Name) and each.id in names - lambdas
    ]
    return all(stability(module, each, loop) is not None for each in loaded)


SORT_ONCE = Rule("sort_once", "a list that does not change is sorted once, not in every round", find)
