"""The transformations by name; finding sites in files, and applying one."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping

from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.rules import Rule, Site, Transformation
from core.errors import ConfigError, NotFoundError, nearest

__all__ = ["apply_site", "find_sites", "transformations"]

ORDER = (
    "batched_query", "cache_pure", "memo_recursion", "hoist_invariant", "precompile_regex", "set_membership", "join",
    "dict_lookup", "single_pass", "priority_queue", "deque_queue", "counter", "count_lookup", "ordered_unique",
    "sorted_insert", "comprehension", "slots", "local_binding", "list_growth", "flatten", "cached_list",
    "index_lookup", "common_call", "cached_parse", "once_read", "char_filter", "prefix_sums", "builtin_loop",
    "early_exit", "dict_update", "sort_once", "cached_attribute", "direct_iteration", "literal_regex", "shallow_copy",
    "key_getter", "comparison_chain", "drop_copy",
)  # fmt: skip
"""By how much they are usually worth."""


def transformations() -> dict[str, Transformation]:
    """Every transformation, the most valuable first."""
    found: dict[str, Transformation] = {}
    for name in ORDER:
        rule = getattr(importlib.import_module(f"agents.code.transformations.{name}"), name.upper())
        assert isinstance(rule, Rule)
        found[rule.name] = rule
    return found


def find_sites(files: Mapping[str, str], names: Iterable[str] | None = None) -> tuple[Site, ...]:
    """The sites of the named transformations (of all, when none are named) in Python files, path → text.

    Files that are not Python by name, or do not parse, have none. NotFoundError for an unknown name.
    """
    known = transformations()
    chosen = [*known] if names is None else [*dict.fromkeys(names)]
    for name in chosen:
        if name not in known:
            raise NotFoundError(f"there is no transformation {name!r}", hint=nearest(name, known))
    sites: list[Site] = []
    for path, text in files.items():
        if not path.endswith(".py"):
            continue
        try:
            module = ParsedModule(path, text)
        except ConfigError:
            continue
        for name in chosen:
            sites += known[name].sites(module)
    return tuple(sites)


def apply_site(files: Mapping[str, str], site: Site) -> dict[str, str]:
    """The files with one site changed. NotFoundError when its file or transformation is unknown; see `apply`."""
    known = transformations()
    if site.transformation not in known:
        raise NotFoundError(
            f"there is no transformation {site.transformation!r}", hint=nearest(site.transformation, known)
        )
    if site.path not in files:
        raise NotFoundError(f"there is no file {site.path!r}", hint=nearest(site.path, files))
    return {**files, site.path: known[site.transformation].apply(files[site.path], site)}
