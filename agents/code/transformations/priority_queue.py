"""Take the smallest of a growing list with a heap, not by searching or sorting it each time.

    while queue:                              heapq.heapify(queue)
        item = min(queue)                     while queue:
        queue.remove(item)            →           item = heapq.heappop(queue)
        queue.append(item + 1)                    heapq.heappush(queue, item + 1)

Also `queue.sort()` followed by `queue.pop(0)`. The list must belong to the function, and be used for nothing else in
the loop and for nothing after it, for a heap keeps another order.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import loops, read_after
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import is_immutable
from agents.code.transformations.analysis.origins import is_fresh
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import assigned, each_reference, method
from agents.code.transformations.analysis.uses import use_of
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule
from agents.code.transformations.single_pass import order_note

__all__ = ["PRIORITY_QUEUE"]


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for loop in loops(module):
        if not isinstance(loop, ast.While) or loop.orelse or len(loop.body) < 2 or not isinstance(loop.test, ast.Name):
            continue
        queue = loop.test
        taken = _takes_smallest(module, loop, queue.id)
        if taken is None or not _belongs(module, queue) or read_after(module, queue.id, loop):
            continue
        draft = Draft(module)
        pop = draft.imported("heapq", "heappop", at=loop)
        pushes = _pushes(module, loop, queue, taken)
        if pushes is None:
            continue
        first, second, call = taken
        draft.before(loop, f"{draft.imported('heapq', 'heapify', at=loop)}({queue.id})")
        draft.replace(call, f"{pop}({queue.id})")
        draft.remove(first if method(_value(first), "sort") else second)
        for push in pushes:
            draft.replace(
                push, f"{draft.imported('heapq', 'heappush', at=loop)}({queue.id}, {module.segment(push.args[0])})"
            )
        kind = kind_of(module, queue)
        alike = "" if kind and is_immutable(kind.item) else "equal items cannot be told apart"
        note = "; ".join(each for each in (order_note(module, queue), alike) if each)
        yield from draft.rewrite(first, f"keep `{queue.id}` as a heap", note)


def _value(statement: ast.stmt) -> ast.expr | None:
    return statement.value if isinstance(statement, ast.Expr | ast.Assign) else None


def _takes_smallest(module: ParsedModule, loop: ast.While, queue: str) -> tuple[ast.stmt, ast.stmt, ast.Call] | None:
    """The two statements at the start of the loop that take the smallest, and the call that gives it."""
    first, second = loop.body[:2]
    found = assigned(first)
    if found and isinstance(call := found[1], ast.Call) and module.names.is_builtin(call.func, "min"):
        takes = (
            len(call.args) == 1
            and not call.keywords
            and isinstance(call.args[0], ast.Name)
            and call.args[0].id == queue
        )
        removed = method(_value(second), "remove", arguments=1)
        out = isinstance(second, ast.Expr) and isinstance(second.value, ast.Call) and second.value.args
        fits = out and isinstance(out[0], ast.Name) and out[0].id == found[0].id
        return (
            (first, second, call) if takes and fits and isinstance(removed, ast.Name) and removed.id == queue else None
        )
    sorts, pops = method(_value(first), "sort", arguments=0), method(_value(second), "pop", arguments=1)
    call_ = _value(second)
    if isinstance(sorts, ast.Name) and isinstance(pops, ast.Name) and sorts.id == pops.id == queue:
        assert isinstance(call_, ast.Call)
        index = call_.args[0]
        if isinstance(index, ast.Constant) and index.value == 0 and isinstance(second, ast.Assign):
            return first, second, call_
    return None


def _belongs(module: ParsedModule, queue: ast.Name) -> bool:
    """Whether the list was made here, and nobody else holds it."""
    home = module.names.home(queue)
    bound = module.names.bindings(queue)
    own = all((found := assigned(each.by)) and is_fresh(module, found[1]) for each in bound)
    kind = kind_of(module, queue)
    uses = each_reference(module, queue)
    return (
        own
        and kind is not None
        and kind.name == "list"
        and home is not None
        and all(module.scope(each).owner is home and use_of(module, each) != "alias" for each in uses)
    )


def _pushes(
    module: ParsedModule, loop: ast.While, queue: ast.Name, taken: tuple[ast.stmt, ast.stmt, ast.Call]
) -> list[ast.Call] | None:
    """The `append` calls of the loop; None when the list is used for anything else there."""
    inside = set(ast.walk(loop))
    known = {loop.test, *ast.walk(taken[0]), *ast.walk(taken[1])}
    found = []
    for each in each_reference(module, queue):
        if each not in inside or each in known:
            continue
        above = module.parent(each)
        call = module.parent(above) if isinstance(above, ast.Attribute) else None
        if isinstance(above, ast.If) or (isinstance(above, ast.Call) and module.names.is_builtin(above.func, "len")):
            continue
        if not isinstance(call, ast.Call) or method(call, "append", arguments=1) is not each:
            return None
        found.append(call)
    return found


PRIORITY_QUEUE = Rule(
    "priority_queue", "a heap finds the smallest in logarithmic time; a list is searched or sorted", find
)
