"""Gather the pieces of a text in a list and join them once.

    text = ""                             text = ""
    for row in rows:                      text_parts = [text]
        text += row + "\\n"        →       for row in rows:
                                              text_parts.append(row + "\\n")
                                          text = "".join(text_parts)

`text = piece + text` becomes the same with the parts turned round. Building a text by `+` copies it over and over:
always when it grows at the front, and at the end whenever something else holds it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import guarded, is_bound_before, loops
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.scopes import Scope
from agents.code.transformations.analysis.shapes import is_seen_here_alone
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule

__all__ = ["JOIN"]


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for loop in loops(module):
        scope = module.scope(loop).owner
        if loop.orelse or guarded(module, loop):
            continue
        inside = set(ast.walk(loop))
        for name in sorted(
            {each.id for each in inside if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
        ):
            if scope.lookup(name) is scope:
                yield from _gather(module, loop, scope, name, inside)


def _gather(
    module: ParsedModule, loop: ast.For | ast.While, scope: Scope, name: str, inside: set[ast.AST]
) -> Iterator[Rewrite]:
    uses = module.names.references(scope, name)
    if not is_seen_here_alone(module, name, loop):
        return
    here = [each for each in uses if each in inside]
    steps: dict[ast.stmt, tuple[str, ast.expr]] = {}
    for each in here:
        step = _step(module, module.statement(each), name)
        if step is None:
            return
        steps[module.statement(each)] = step
    if len({side for side, _ in steps.values()}) != 1 or not is_bound_before(module, scope, name, loop):
        return
    kind = kind_of(module, here[0])
    pieces = [kind_of(module, piece) for _, piece in steps.values()]
    if kind is None or kind.name != "str" or not all(piece and piece.name == "str" for piece in pieces):
        return
    if _outer_loop_gathers(module, loop, steps, uses):
        return
    draft = Draft(module)
    parts = draft.fresh(f"{name}_parts")
    draft.before(loop, f"{parts} = [{name}]")
    side = next(iter(steps.values()))[0]
    for statement, (_, piece) in steps.items():
        draft.swap(statement, statement, f"{parts}.append({module.segment(piece)})")
    draft.after(loop, f'{name} = "".join({parts})' if side == "end" else f'{name} = "".join(reversed({parts}))')
    sure = kind.sure and all(piece and piece.sure for piece in pieces)
    yield from draft.rewrite(
        next(iter(steps)), f"join the pieces of `{name}` once", "" if sure else "annotations are true"
    )


def _step(module: ParsedModule, statement: ast.stmt, name: str) -> tuple[str, ast.expr] | None:
    """The piece a statement adds to the text, and at which side; None for anything else."""
    if isinstance(statement, ast.AugAssign):
        fits = (
            isinstance(statement.target, ast.Name) and statement.target.id == name and isinstance(statement.op, ast.Add)
        )
        return ("end", statement.value) if fits and not _speaks_of(statement.value, name) else None
    if (
        not isinstance(statement, ast.Assign)
        or len(statement.targets) != 1
        or not isinstance(statement.value, ast.BinOp)
    ):
        return None
    target, value = statement.targets[0], statement.value
    if not isinstance(target, ast.Name) or target.id != name or not isinstance(value.op, ast.Add):
        return None
    if isinstance(value.left, ast.Name) and value.left.id == name and not _speaks_of(value.right, name):
        return "end", value.right
    if isinstance(value.right, ast.Name) and value.right.id == name and not _speaks_of(value.left, name):
        return "front", value.left
    return None


def _speaks_of(node: ast.AST, name: str) -> bool:
    return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node))


def _outer_loop_gathers(
    module: ParsedModule, loop: ast.AST, steps: dict[ast.stmt, tuple[str, ast.expr]], uses: list[ast.Name]
) -> bool:
    """Whether a loop around this one could gather the same text: then that one is the better place."""
    for around in module.ancestors(loop):
        if isinstance(around, ast.For | ast.While):
            inside = set(ast.walk(around))
            if not around.orelse and all(module.statement(each) in steps for each in uses if each in inside):
                return True
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
    return False


JOIN = Rule("join", "a text is built by one copy of its pieces instead of one copy for every piece", find)
