"""Copy one level where the items cannot change.

    copy.deepcopy(counts)       →   copy.copy(counts)         (counts: dict[str, int])

`deepcopy` looks at every item and keeps a memo of them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import Kind, is_immutable
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule

__all__ = ["SHALLOW_COPY"]


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for node in module.nodes:
        if not isinstance(node, ast.Call) or node.keywords or len(node.args) != 1 or module.function(node) is None:
            continue
        kind = kind_of(module, node.args[0])
        if dotted(module, node.func) != "copy.deepcopy" or not _is_flat(kind):
            continue
        draft = Draft(module)
        copy = draft.imported("copy", "copy", at=node)
        draft.replace(node.func, copy)
        yield from draft.rewrite(node, "copy one level only", "" if kind and kind.sure else "annotations are true")


def _is_flat(kind: Kind | None) -> bool:
    if kind is None or kind.name not in ("list", "set", "dict", "counter", "deque"):
        return False
    return is_immutable(kind.item) and (kind.name not in ("dict", "counter") or is_immutable(kind.value))


SHALLOW_COPY = Rule("shallow_copy", "a flat copy does not visit every item", find)
