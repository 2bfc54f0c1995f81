"""What a dotted expression means through the imports of a module."""

from __future__ import annotations

import ast

from agents.code.transformations.analysis.parsed import ParsedModule

__all__ = ["dotted", "import_statement"]


def dotted(module: ParsedModule, node: ast.AST) -> str | None:
    """`functools.lru_cache` for whatever the module calls it; None unless one import alone binds the first name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    bound = module.names.bindings(node)
    if len(bound) != 1 or not isinstance(alias := bound[0].node, ast.alias):
        return None
    by = bound[0].by
    if isinstance(by, ast.ImportFrom):
        if by.level or not by.module:
            return None
        head = f"{by.module}.{alias.name}"
    else:
        head = alias.name if alias.asname else alias.name.split(".")[0]
    return ".".join([head, *reversed(parts)])


def import_statement(module: ParsedModule, name: str) -> ast.stmt | None:
    """The statement of the module's own block that alone binds `name` by an import."""
    bound = module.names.top.bindings.get(name, [])
    if len(bound) != 1 or not isinstance(bound[0].by, ast.Import | ast.ImportFrom):
        return None
    by = bound[0].by
    return by if module.parent(by) is module.tree else None
