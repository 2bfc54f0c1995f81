"""Find positions in a dict made once, not by `list.index` each time.

    for w in words:                            names_places = {}
        row[names.index(w)] += 1      →        for place, item in enumerate(names):
                                                   names_places.setdefault(item, place)
                                               for w in words:
                                                   row[names_places[w]] += 1

Offered where the loop goes over items of the same list, or where the enclosing test has just found the item in it: then
the item is there, and no ValueError is lost.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import guarded
from agents.code.transformations.analysis.hashing import hash_note
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import hoistable, method, rings, same
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule, conditions

__all__ = ["INDEX_LOOKUP"]


def find(module: ParsedModule) -> Iterator[Rewrite]:
    groups: dict[tuple[ast.stmt, str], list[ast.Call]] = defaultdict(list)
    notes: dict[tuple[ast.stmt, str], str] = {}
    for node in module.nodes:
        items = method(node, "index", arguments=1)
        if not isinstance(items, ast.Name) or not isinstance(node, ast.Call) or module.function(node) is None:
            continue
        kind = kind_of(module, items)
        if kind is None or kind.name not in ("list", "tuple") or guarded(module, module.statement(node)):
            continue
        found = hoistable(module, items, list(rings(module, node)))
        if found is None or any(isinstance(each, ast.JoinedStr) for each in module.ancestors(node)):
            continue
        there = (
            ""
            if _is_there(module, node, items)
            else f"what is looked for is in `{items.id}` (else KeyError for ValueError)"
        )
        groups[found[0], items.id].append(node)
        notes[found[0], items.id] = conditions(notes.get((found[0], items.id), ""), found[1].assumes, there)
    for (statement, name), calls in groups.items():
        draft = Draft(module)
        fresh, place, item = draft.fresh(f"{name}_places"), draft.fresh("place"), draft.fresh("each_item")
        draft.before(
            statement,
            f"{fresh} = {{}}",
            f"for {place}, {item} in enumerate({name}):",
            f"    {fresh}.setdefault({item}, {place})",
        )
        for call in calls:
            draft.replace(call, f"{fresh}[{module.segment(call.args[0])}]")
        items = calls[0].func.value if isinstance(calls[0].func, ast.Attribute) else None
        note = hash_note(module, *(call.args[0] for call in calls), items_of=items)
        if note is None:
            continue
        yield from draft.rewrite(
            calls[0], f"find positions in `{name}` by hash", conditions(note, notes[statement, name])
        )


def _is_there(module: ParsedModule, call: ast.Call, items: ast.Name) -> bool:
    """Whether the item comes from the list itself, or was found in it just before."""
    wanted = call.args[0]
    child: ast.AST = call
    for each in module.ancestors(call):
        if isinstance(each, ast.For) and same(each.target, wanted) and same(each.iter, items):
            return True
        clauses = getattr(each, "generators", [])
        if any(same(clause.target, wanted) and same(clause.iter, items) for clause in clauses):
            return True
        if isinstance(each, ast.If) and child in each.body and _finds(each.test, wanted, items):
            return True
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            break
        child = each
    return False


def _finds(test: ast.expr, wanted: ast.expr, items: ast.Name) -> bool:
    return (
        isinstance(test, ast.Compare)
        and len(test.ops) == 1
        and isinstance(test.ops[0], ast.In)
        and same(test.left, wanted)
        and same(test.comparators[0], items)
    )


INDEX_LOOKUP = Rule(
    "index_lookup", "a position is one hash look-up; `list.index` compares from the start each time", find
)
