"""Leave a loop that only sets a flag as soon as the flag is set.

found = False
for x in xs:                          if x == y:
    if x == y:                 →          found = True
        found = True                      break

"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import loops, read_after
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import CONTAINERS
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.purity import purity
from agents.code.transformations.analysis.shapes import assigned, filtered_loop, names_in
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule, conditions

__all__ = ["EARLY_EXIT"]


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for loop in loops(module):
        found = filtered_loop(loop) if isinstance(loop, ast.For) else None
        if found is None or not found.conditions:
            continue
        flags = [assigned(each) for each in found.statements]
        if not all(flag and isinstance(flag[1], ast.Constant) for flag in flags):
            continue
        names = {flag[0].id for flag in flags if flag}
        spoken = set().union(*(names_in(each) for each in found.conditions))
        if names & (spoken | found.targets) or any(read_after(module, name, loop) for name in found.targets):
            continue
        if not all(purity(module).expression(each) for each in found.conditions):
            continue
        if any(isinstance(each, ast.NamedExpr) for condition in found.conditions for each in ast.walk(condition)):
            continue
        kind = kind_of(module, found.loop.iter)
        again = isinstance(found.loop.iter, ast.Call) and not isinstance(found.loop.iter.func, ast.Name)
        if kind is None and again:
            continue  # an iterator that somebody may go on with
        if kind is not None and kind.name not in CONTAINERS | {"str", "range", "view", "bytes", "sequence"}:
            continue
        draft = Draft(module)
        draft.after(found.statements[-1], "break")
        note = "" if kind and kind.sure else "the loop goes over a container, not an iterator that is used again"
        fails = "" if _cannot_fail(found.conditions) else "the test does not fail for later items"
        yield from draft.rewrite(found.statements[-1], "leave the loop when the flag is set", conditions(note, fails))


def _cannot_fail(tests: tuple[ast.expr, ...]) -> bool:
    """Equality and identity of plain names never raise for values of builtin kinds."""
    return all(
        isinstance(test, ast.Compare)
        and all(isinstance(op, ast.Eq | ast.NotEq | ast.Is | ast.IsNot) for op in test.ops)
        and all(isinstance(side, ast.Name | ast.Constant) for side in (test.left, *test.comparators))
        for test in tests
    )


EARLY_EXIT = Rule("early_exit", "the rest of a loop that can change nothing more is not run", find)
