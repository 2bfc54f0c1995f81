"""Look a function of a module, or the method of a list, up once before a hot loop.

    for x in xs:                               sqrt = math.sqrt
        total += math.sqrt(x)          →       for x in xs:
                                                   total += sqrt(x)

For functions of standard modules that nobody replaces, and for the methods of a list, set or dict that the function
made itself and does not rebind in the loop. Only where loops are nested, or the loop does little else.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import Loop, loops
from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule

__all__ = ["LOCAL_BINDING"]

_MODULES = frozenset(
    ["math", "operator", "itertools", "bisect", "heapq", "string", "unicodedata", "struct", "collections",
    "functools", "re"]
)  # fmt: skip
_SMALL = 40
"""Nodes of a loop body in which one look-up still counts."""


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for loop in loops(module):
        if any(isinstance(each, ast.For | ast.While) for each in module.ancestors(loop)):
            continue  # the outermost loop is the place
        yield from _attributes(module, loop)


def _attributes(module: ParsedModule, loop: Loop) -> Iterator[Rewrite]:
    groups: dict[str, list[ast.Attribute]] = defaultdict(list)
    parts = loop.body if isinstance(loop, ast.For) else [loop.test, *loop.body]
    for part in parts:
        for node in ast.walk(part):
            called = isinstance(call := module.parent(node), ast.Call) and call.func is node
            if called and isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                name = dotted(module, node)
                if name and name.split(".")[0] in _MODULES and len(name.split(".")) == 2 and _is_function(name):
                    groups[ast.dump(node)].append(node)
    nested = any(isinstance(each, ast.For | ast.While | ast.comprehension) for part in parts for each in ast.walk(part))
    small = sum(1 for part in parts for _ in ast.walk(part)) <= _SMALL
    if not (nested or small):
        return
    function = module.function(loop)
    scope = module.scope(loop).owner
    for nodes in groups.values():
        usable = [
            each
            for each in nodes
            if module.scope(each).owner is scope
            and not any(isinstance(above, ast.JoinedStr) for above in module.ancestors(each))
        ]
        if not usable or function is None:
            continue
        draft = Draft(module)
        name = draft.fresh(_local_name(module, usable[0]))
        draft.before(loop, f"{name} = {module.segment(usable[0])}")
        for each in usable:
            draft.replace(each, name)
        yield from draft.rewrite(
            usable[0], f"look `{module.segment(usable[0])}` up once", "nobody replaces it while the loop runs"
        )


def _local_name(module: ParsedModule, attribute: ast.Attribute) -> str:
    """The attribute's own name where it is free, else the module's in front of it."""
    return attribute.attr if attribute.attr not in module.names.words else module.segment(attribute).replace(".", "_")


def _is_function(name: str) -> bool:
    """Whether a standard module has it; a made-up name would fail too early."""
    package, attribute = name.split(".")
    return callable(getattr(__import__(package), attribute, None))


LOCAL_BINDING = Rule(
    "local_binding", "a local name is found by its place; module and attribute are looked up in dicts", find
)
