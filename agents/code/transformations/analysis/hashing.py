"""Whether values may be looked up by hash."""

from __future__ import annotations

import ast

from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import Kind, is_hashable
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.uses import MUTATING

__all__ = ["hash_note"]

_UNHASHABLE = frozenset({"list", "dict", "set", "deque", "counter", "defaultdict"})
_TELLTALES = MUTATING | {"items", "keys", "values", "get"}
"""Methods that only containers have."""


def hash_note(module: ParsedModule, *nodes: ast.expr, items_of: ast.expr | None = None) -> str | None:
    """The condition that these values, and the items of a container, can be hashed; empty when that is certain.

    None when their kind or their use says that they cannot.
    """
    kinds = [kind_of(module, each) for each in nodes]
    if items_of is not None:
        container = kind_of(module, items_of)
        kinds.append(container.item if container else None)
    if any(_is_container(kind) for kind in kinds) or any(_used_as_container(module, each) for each in nodes):
        return None
    if not all(map(is_hashable, kinds)):
        return "the values compared can be hashed"
    return "" if all(kind and kind.sure for kind in kinds) else "annotations are true"


def _is_container(kind: Kind | None) -> bool:
    if kind is None:
        return False
    return kind.name in _UNHASHABLE or (kind.name == "optional" and _is_container(kind.item))


def _used_as_container(module: ParsedModule, node: ast.expr) -> bool:
    """Whether a value of unknown kind is changed, or asked for keys, anywhere in its scope."""
    if not isinstance(node, ast.Name):
        return isinstance(node, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)
    for each in module.names.references(module.names.home(node), node.id):
        above = module.parent(each)
        if isinstance(above, ast.Attribute) and above.attr in _TELLTALES:
            return True
        if isinstance(above, ast.Subscript) and above.value is each and not isinstance(above.ctx, ast.Load):
            return True
    return False
