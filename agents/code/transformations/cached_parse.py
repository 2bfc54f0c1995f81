"""Parse equal texts once.

    datetime.strptime(row.day, "%Y-%m-%d")   →   _cached_strptime(row.day, "%Y-%m-%d")

with `_cached_strptime = functools.lru_cache(maxsize=4096)(datetime.strptime)` at the level of the module.

For parsers of the standard library that are slow and give what cannot change: dates, addresses, decimal numbers.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule

__all__ = ["CACHED_PARSE"]

SIZE = 4096
_PARSERS = frozenset(
    [
        "datetime.datetime.strptime", "time.strptime", "ipaddress.ip_address", "ipaddress.ip_network",
        "fractions.Fraction",
        "uuid.UUID", "email.utils.parsedate_to_datetime"
    ]
)  # fmt: skip


def find(module: ParsedModule) -> Iterator[Rewrite]:
    groups: dict[tuple[str, ast.AST], list[ast.Call]] = defaultdict(list)
    for node in module.nodes:
        if (
            not isinstance(node, ast.Call)
            or (function := module.function(node)) is None
            or node.keywords
            or not node.args
        ):
            continue
        name = dotted(module, node.func)
        starred = any(isinstance(each, ast.Starred) for each in node.args)
        if name in _PARSERS and not starred and module.scope(node).owner.node is function:
            groups[name, function].append(node)
    for (name, owner), calls in groups.items():
        draft = Draft(module)
        lead = module.segment(calls[0].func).split(".")[0]
        existing = _existing(module, name)
        if existing is None:
            cache = draft.imported("functools", "lru_cache", at=owner)
            existing = draft.fresh(f"_cached_{name.split('.')[-1].lower()}")
            source = module.names.top.bindings.get(lead)
            if not source or module.parent(source[0].by) is not module.tree:
                continue
            draft.top(f"{existing} = {cache}(maxsize={SIZE})({module.segment(calls[0].func)})", needs=lead)
        for call in calls:
            draft.replace(call.func, existing)
        yield from draft.rewrite(
            calls[0],
            f"parse equal texts once with `{name}`",
            "the arguments can be hashed, and the locale stays the same",
        )


def _existing(module: ParsedModule, name: str) -> str | None:
    """A constant of the module that is the cached parser already."""
    for word, bound in module.names.top.bindings.items():
        by = bound[0].by
        if (
            len(bound) == 1
            and isinstance(by, ast.Assign)
            and isinstance(call := by.value, ast.Call)
            and isinstance(call.func, ast.Call)
        ) and (
            dotted(module, call.func.func) == "functools.lru_cache"
            and len(call.args) == 1
            and dotted(module, call.args[0]) == name
        ):
            return word
    return None


CACHED_PARSE = Rule("cached_parse", "a slow parser runs once for each different text", find)
