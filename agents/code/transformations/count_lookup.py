"""Count all items once, not each by a pass of its own.

{w: words.count(w) for w in words}   →   words_counts = collections.Counter(words)
                                         {w: words_counts[w] for w in words}
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import leaves_guard
from agents.code.transformations.analysis.hashing import hash_note
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import hoistable, method, rings
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule, conditions

__all__ = ["COUNT_LOOKUP"]


def find(module: ParsedModule) -> Iterator[Rewrite]:
    groups: dict[tuple[ast.stmt, str], list[ast.Call]] = defaultdict(list)
    notes: dict[tuple[ast.stmt, str], str] = {}
    for node in module.nodes:
        items = method(node, "count", arguments=1)
        if not isinstance(items, ast.Name) or not isinstance(node, ast.Call) or module.function(node) is None:
            continue
        kind = kind_of(module, items)
        if kind is None or kind.name not in ("list", "tuple"):
            continue
        found = hoistable(module, items, list(rings(module, node)))
        if found is not None and not any(isinstance(each, ast.JoinedStr) for each in module.ancestors(node)):
            groups[found[0], items.id].append(node)
            notes[found[0], items.id] = found[1].assumes
    for (statement, name), calls in groups.items():
        draft = Draft(module)
        counter = draft.imported("collections", "Counter", at=statement)
        fresh = draft.fresh(f"{name}_counts")
        draft.before(statement, f"{fresh} = {counter}({name})")
        for call in calls:
            draft.replace(call, f"{fresh}[{module.segment(call.args[0])}]")
        items = calls[0].func.value if isinstance(calls[0].func, ast.Attribute) else None
        note = hash_note(module, *(call.args[0] for call in calls), items_of=items)
        if note is None or (note and any(leaves_guard(module, call, statement) for call in calls)):
            continue
        yield from draft.rewrite(
            calls[0], f"count the items of `{name}` once", conditions(note, notes[statement, name])
        )


COUNT_LOOKUP = Rule("count_lookup", "one pass counts everything; `list.count` makes one for every item", find)
