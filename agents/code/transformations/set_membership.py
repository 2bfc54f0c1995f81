"""Look things up in a set, not in a list.

    for w in words:                         stop_set = set(stop)
        if w in stop: …             →       for w in words:
                                                if w in stop_set: …

For a list or tuple that does not change in the loop, a constant of the module, or a literal of four constants or more.
A membership test in a list compares item by item; in a set it is one look-up.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import functions, leaves_guard
from agents.code.transformations.analysis.hashing import hash_note
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.origins import is_constant_global
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import assigned, hoistable
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule, conditions

__all__ = ["SET_MEMBERSHIP"]

ENOUGH = 4


def find(module: ParsedModule) -> Iterator[Rewrite]:
    tests = [
        node
        for node in module.nodes
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn)
    ]
    yield from _literals(module, tests)
    grouped: dict[tuple[ast.AST, str], list[ast.Compare]] = defaultdict(list)
    notes: dict[tuple[ast.AST, str], str] = {}
    for test in tests:
        container = test.comparators[0]
        kind = kind_of(module, container)
        if not isinstance(container, ast.Name) or kind is None or kind.name not in ("list", "tuple"):
            continue
        bound = module.names.bindings(container)
        if len(bound) == 1 and isinstance(by := bound[0].by, ast.stmt) and assigned(by) and not _is_long(module, by):
            continue
        home = module.names.home(container)
        if home is module.names.top:
            if module.function(test) and is_constant_global(module, container.id):
                grouped[module.tree, container.id].append(test)
                if kind.name == "list":
                    notes[module.tree, container.id] = f"no other module changes `{container.id}`"
        elif found := hoistable(module, container):
            statement, stability = found
            grouped[statement, container.id].append(test)
            notes[statement, container.id] = stability.assumes
    for (place, name), found_tests in grouped.items():
        editable = [
            test for test in found_tests if not any(isinstance(a, ast.JoinedStr) for a in module.ancestors(test))
        ]
        if not editable:
            continue
        draft = Draft(module)
        container = editable[0].comparators[0]
        note = hash_note(module, *(test.left for test in editable), items_of=container)
        if note is None:
            continue
        if note and isinstance(place, ast.stmt) and any(leaves_guard(module, test, place) for test in editable):
            continue
        if isinstance(place, ast.Module):
            definition = _definition(module, name)
            if definition is None or not _is_long(module, definition):
                continue
            fresh = draft.fresh(f"_{name.strip('_').upper()}_SET")
            draft.top(f"{fresh} = frozenset({name})", after=definition)
        else:
            assert isinstance(place, ast.stmt)
            fresh = draft.fresh(f"{name}_set")
            draft.before(place, f"{fresh} = set({name})")
        for test in editable:
            draft.replace(test.comparators[0], fresh)
        if "set" in module.names.top.bindings or module.names.star_import:
            continue
        note = conditions(note, notes.get((place, name), ""))
        yield from draft.rewrite(editable[0], f"look up in a set made of `{name}`", note)


def _literals(module: ParsedModule, tests: list[ast.Compare]) -> Iterator[Rewrite]:
    inside = {node for function in functions(module) for node in ast.walk(function)}
    for test in tests:
        container = test.comparators[0]
        if test not in inside or not isinstance(container, ast.List | ast.Tuple) or len(container.elts) < ENOUGH:
            continue
        if not all(isinstance(each, ast.Constant) and not isinstance(each.value, float) for each in container.elts):
            continue
        draft = Draft(module)
        text = module.segment(container)
        if text[0] not in "([" or text[-1] not in ")]":
            continue
        if (note := hash_note(module, test.left)) is None:
            continue
        draft.replace(container, "{" + text[1:-1] + "}")
        yield from draft.rewrite(test, "look up in a set of constants", note)


def _is_long(module: ParsedModule, statement: ast.stmt) -> bool:
    """Whether a constant is more than a few literal items, which a list finds as fast as a set."""
    found = assigned(statement)
    return found is not None and (not isinstance(found[1], ast.List | ast.Tuple) or len(found[1].elts) >= ENOUGH)


def _definition(module: ParsedModule, name: str) -> ast.stmt | None:
    for statement in module.tree.body:
        found = assigned(statement)
        if found and found[0].id == name:
            return statement
    return None


SET_MEMBERSHIP = Rule("set_membership", "membership is one hash look-up instead of a comparison with every item", find)
