"""A draft without a model: the opportunity's kind says which transformations may help, its evidence where.

Offered are those that change how much work is done, not how it is written: what saves a few percent is not worth a
deployment.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.batched_query import Reader, batched_query
from agents.code.transformations.cache_pure import cache_pure_in
from agents.code.transformations.registry import transformations
from agents.code.transformations.rules import Site, Transformation
from agents.live.generation.readers import readers_of
from agents.live.generation.service import ServiceCode
from core.drafts import ImprovementDraft, NeedsModel
from core.errors import RatchetError
from core.improvement import ImprovementOpportunity, OpportunityKind

__all__ = ["draft_by_rules"]

ALGORITHMS = (
    "set_membership", "dict_lookup", "index_lookup", "count_lookup", "counter", "sorted_insert", "sort_once",
    "deque_queue", "priority_queue", "prefix_sums", "ordered_unique", "memo_recursion", "list_growth", "flatten",
    "join",
)  # fmt: skip
"""Less work by a better algorithm."""
ONCE = (
    "hoist_invariant", "precompile_regex", "cached_parse", "once_read", "common_call", "single_pass", "dict_update",
    "early_exit",
)  # fmt: skip
"""Doing once what is done again and again, or stopping where the answer is known."""
FIRST = 1
ALL = 8

SLOW = ((ALGORITHMS, ALL), (("cache_pure",), FIRST), (ONCE, ALL), (("batched_query",), ALL))
WAYS: dict[OpportunityKind, tuple[tuple[tuple[str, ...], int], ...]] = {
    "cache": ((("cache_pure", "memo_recursion"), FIRST), (("cached_parse", "hoist_invariant", "common_call"), ALL)),
    "redundant_call": (
        (("common_call", "hoist_invariant", "once_read", "cached_parse", "precompile_regex"), ALL),
        (("cache_pure", "memo_recursion"), FIRST),
    ),
    "n_plus_one": ((("batched_query",), ALL),),
    "slow_function": SLOW,
    "trend": SLOW,
}
"""Kind → groups of transformations, each with how many of its places may be changed; the first group that finds one."""


def draft_by_rules(opportunity: ImprovementOpportunity, service: ServiceCode) -> ImprovementDraft | NeedsModel:
    """The draft, or why only a model could make one.  Reads and runs nothing; the same for the same input."""
    ways = WAYS.get(opportunity.kind)
    if ways is None:
        return _none(opportunity, f"no rule mends {opportunity.kind.replace('_', ' ')}")
    places = list(_places(opportunity, service))
    if not places:
        told = opportunity.function or opportunity.file or "nothing"
        return _none(opportunity, f"the evidence names {told}, which is no function of a file that may be changed")
    readers = readers_of(service.files)
    for names, most in ways:
        for path, functions in places:
            found = _changed(path, service.files[path], functions, _rules(names, functions, readers), most)
            if found is not None:
                text, sites = found
                return _draft(opportunity, path, text, sites)
    where = ", ".join(f"{path}: {functions[0]}" for path, functions in places[:3])
    return _none(opportunity, f"none of the transformations for {opportunity.kind} fits {where}")


def _none(opportunity: ImprovementOpportunity, why: str) -> NeedsModel:
    return NeedsModel(opportunity_id=opportunity.id, reason=f"needs a model: {why}")


def _draft(opportunity: ImprovementOpportunity, path: str, text: str, sites: Sequence[Site]) -> ImprovementDraft:
    told = tuple(f"{site.transformation} in {site.qualname}" for site in sites)
    return ImprovementDraft.make(
        opportunity.id,
        {path: text},
        "rules",
        "; ".join(site.description for site in sites),
        transformations=told,
        assumes=tuple(dict.fromkeys(part for site in sites for part in site.note.split("; ") if part)),
    )


def _rules(names: Sequence[str], functions: Sequence[str], readers: dict[str, Reader]) -> list[Transformation]:
    """Those of the registry, but the two that can be told more: that a function is called often, and who reads."""
    known = {**transformations(), "cache_pure": cache_pure_in(functions), "batched_query": batched_query(readers)}
    return [known[name] for name in names]


def _changed(
    path: str, text: str, functions: Sequence[str], rules: Sequence[Transformation], most: int
) -> tuple[str, list[Site]] | None:
    """The text after at most so many places of the functions were changed, and these; None without any.

    The function that the evidence names comes first; those it calls are looked at only where it has no place itself.
    """
    for name in functions:
        done: list[Site] = []
        changed = text
        while len(done) < most:
            site = next(_sites(path, changed, name, rules, {one.id for one in done}), None)
            if site is None:
                break
            rule, place = site
            try:
                changed = rule.apply(changed, place)
            except RatchetError:
                break
            done.append(place)
        if done:
            return changed, done
    return None


def _sites(
    path: str, text: str, function: str, rules: Sequence[Transformation], done: set[str]
) -> Iterator[tuple[Transformation, Site]]:
    module = ParsedModule(path, text)
    for rule in rules:
        for site in rule.sites(module):
            if site.id not in done and (site.qualname == function or site.qualname.startswith(f"{function}.")):
                yield rule, site


def _places(opportunity: ImprovementOpportunity, service: ServiceCode) -> Iterator[tuple[str, tuple[str, ...]]]:
    """File and functions: the one that the evidence names with those it calls there, else those that run its query."""
    name = opportunity.function.rsplit(":", 1)[-1]
    for path in service.changeable:
        if opportunity.file and path != opportunity.file:
            continue
        try:
            tree = ast.parse(service.files[path])
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        functions = dict(_functions(tree))
        named = [each for each in functions if _is_named(each, name, path)] if name else []
        if opportunity.kind == "n_plus_one" and opportunity.subject:
            named += [each for each in functions if each not in named and _says(functions[each], opportunity.subject)]
        for each in named:
            called = [other for other in functions if other != each and _calls(functions[each], other)]
            yield path, (each, *called)


def _is_named(qualname: str, told: str, path: str) -> bool:
    """Whether `told`, such as `rows`, `Database.rows` or `shop.database.Database.rows`, means this function."""
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    whole = f"{module}.{qualname}"
    return whole == told or whole.endswith(f".{told}") or told.endswith(f".{whole}")


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    stack: list[tuple[ast.AST, str]] = [(tree, "")]
    while stack:
        node, name = stack.pop(0)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{name}.{node.name}" if name else node.name
            if not isinstance(node, ast.ClassDef):
                yield name, node
        stack += [(child, name) for child in ast.iter_child_nodes(node)]


def _says(node: ast.AST, statement: str) -> bool:
    """Whether a text in the function is the statement, whatever its layout."""
    wanted = " ".join(statement.split()).rstrip(";")
    return any(
        isinstance(each, ast.Constant)
        and isinstance(each.value, str)
        and " ".join(each.value.split()).rstrip(";") == wanted
        for each in ast.walk(node)
    )


def _calls(node: ast.AST, name: str) -> bool:
    return any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == name
        for each in ast.walk(node)
    )
