"""Find the partners of an item by key, not by going through all of them each time.

    for order in orders:                              customers_by_key = {}
        for c in customers:                           for item in customers:
            if c.id == order.customer:          →         customers_by_key.setdefault(item.id, []).append(item)
                total(order, c)                       for order in orders:
                                                          for c in customers_by_key.get(order.customer, ()):
                                                              total(order, c)

Nested loops that join by an equality, and comprehensions such as `next((c for c in customers if c.id == key), None)`
within a loop. All matches are kept in their order, so `break` and `return` mean what they meant.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import holds_any, leaves_guard, loops, read_after
from agents.code.transformations.analysis.hashing import hash_note
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import CONTAINERS, iterated
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import hoistable, names_in, rings
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule, conditions

__all__ = ["DICT_LOOKUP"]

_WORDS = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Tuple, ast.expr_context, ast.USub, ast.UnaryOp)
_EXACT = ("int", "str", "bytes", "bool")
_KEYS_STAY = "nothing called in the loop changes the keys; reading every key does not fail"


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for loop in loops(module):
        if isinstance(loop, ast.For):
            yield from _nested(module, loop)
    for node in module.nodes:
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp) and len(node.generators) == 1:
            yield from _comprehension(module, node)


def _nested(module: ParsedModule, inner: ast.For) -> Iterator[Rewrite]:
    if inner.orelse or len(inner.body) != 1 or not isinstance(test := inner.body[0], ast.If) or test.orelse:
        return
    parts = _split(test.test)
    targets = _plain_targets(inner.target)
    found = targets and _key_and_probe(module, parts[0], targets, inner)
    if not targets or not found or any(read_after(module, name, inner) for name in targets):
        return
    key, probe = found
    draft = Draft(module)
    indexed = _index(module, draft, inner, inner.iter, inner.target, key, probe)
    if indexed is None:
        return
    index, note = indexed
    start, end = module.span(inner)[0], module.span(test.body[0])[0]
    if any(start <= at < end for at, _ in module.comments) or test.lineno == test.body[0].lineno:
        return
    draft.replace(inner.iter, f"{index}.get({module.segment(probe)}, ())")
    if parts[1:]:
        draft.replace(test.test, " and ".join(module.atom(each) for each in parts[1:]))
    else:
        draft.dedent(test)
    yield from draft.rewrite(test, f"look up in an index of `{module.segment(inner.iter)}`", note)


def _comprehension(module: ParsedModule, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Iterator[Rewrite]:
    clause = node.generators[0]
    targets = _plain_targets(clause.target)
    if clause.is_async or not targets or not clause.ifs:
        return
    parts = [each for condition in clause.ifs for each in _split(condition)]
    found = _key_and_probe(module, parts[0], targets, node)
    if not found:
        return
    key, probe = found
    draft = Draft(module)
    indexed = _index(module, draft, node, clause.iter, clause.target, key, probe)
    if indexed is None:
        return
    index, note = indexed
    rest = "".join(f" if {module.atom(each)}" for each in parts[1:])
    draft.replace_between(clause.iter, clause.ifs[-1], f"{index}.get({module.segment(probe)}, ()){rest}")
    yield from draft.rewrite(parts[0], f"look up in an index of `{module.segment(clause.iter)}`", note)


def _index(
    module: ParsedModule,
    draft: Draft,
    node: ast.AST,
    iterable: ast.expr,
    target: ast.expr,
    key: ast.expr,
    probe: ast.expr,
) -> tuple[str, str] | None:
    """Write the index before the outermost loop in which its items are the same; its name, and the conditions."""
    base = iterable
    if isinstance(base, ast.Call) and isinstance(base.func, ast.Attribute) and base.func.attr in ("items", "values"):
        base = base.func.value
    if not isinstance(base, ast.Name) or (isinstance(iterable, ast.Call) and iterable.args):
        return None
    kind = kind_of(module, base)
    if kind is not None and kind.name not in CONTAINERS | {"sequence", "mapping", "collection"}:
        return None
    place = hoistable(module, iterable, list(rings(module, node)))
    if place is None:
        return None
    statement, stability = place
    if isinstance(module.parent(statement), ast.Module) or leaves_guard(module, node, statement):
        return None
    index = draft.fresh(f"{base.id}_by_key")
    item, written = _renamed(draft, target, key)
    draft.before(
        statement,
        f"{index} = {{}}",
        f"for {item} in {module.atom(iterable)}:",
        f"    {index}.setdefault({written}, []).append({item if isinstance(target, ast.Name) else f'({item})'})",
    )
    known = kind is not None
    again = "" if known else f"`{base.id}` can be iterated again and again"
    hashing = hash_note(module, probe)
    if hashing is None:
        return None
    hashing = hashing or ("" if iterated(kind_of(module, iterable)) else "annotations are true")
    exact = any((one := kind_of(module, each)) and one.name in _EXACT for each in (key, probe))
    itself = "" if exact else "the keys are equal to themselves (no NaN)"
    return index, conditions(stability.assumes, again, hashing, itself, _KEYS_STAY)


def _renamed(draft: Draft, target: ast.expr, key: ast.expr) -> tuple[str, str]:
    """Target and key with names of their own, so that the index shadows nothing."""
    names = {name: draft.fresh(f"each_{name}") for name in sorted(names_in(target))}
    both = [copy.deepcopy(target), copy.deepcopy(key)]
    for tree in both:
        for each in ast.walk(tree):
            if isinstance(each, ast.Name) and each.id in names:
                each.id = names[each.id]
    return ast.unparse(both[0]).strip("()"), ast.unparse(both[1])


def _split(test: ast.expr) -> list[ast.expr]:
    return test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]


def _plain_targets(target: ast.expr) -> set[str]:
    names = [target] if isinstance(target, ast.Name) else target.elts if isinstance(target, ast.Tuple) else []
    plain = [each.id for each in names if isinstance(each, ast.Name)]
    return set(plain) if plain and len(plain) == len(names) and len(set(plain)) == len(plain) > 0 else set()


def _key_and_probe(
    module: ParsedModule, test: ast.expr, targets: set[str], region: ast.AST
) -> tuple[ast.expr, ast.expr] | None:
    """The two sides of an equality: one that speaks only of the item, one that does not speak of it at all."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return None
    sides = [test.left, test.comparators[0]]
    for key, probe in (sides, sides[::-1]):
        if names_in(key) and names_in(key) <= targets and not names_in(probe) & targets and names_in(probe):
            readable = all(isinstance(each, _WORDS) for side in sides for each in ast.walk(side))
            return (key, probe) if readable and _settled(module, [key, probe], region) else None
    return None


def _settled(module: ParsedModule, sides: list[ast.expr], region: ast.AST) -> bool:
    """Whether the region itself neither rebinds the names nor writes the attributes and items the sides read."""
    names = {name for side in sides for name in names_in(side)}
    attributes = {each.attr for side in sides for each in ast.walk(side) if isinstance(each, ast.Attribute)}
    subscripts = holds_any(sides[0], ast.Subscript) or holds_any(sides[1], ast.Subscript)
    target = region.target if isinstance(region, ast.For) else None
    bound = set(ast.walk(target)) if target is not None else set()
    if isinstance(region, ast.ListComp | ast.SetComp | ast.GeneratorExp):
        bound = set(ast.walk(region.generators[0].target))
    for each in ast.walk(region):
        if each in bound:
            continue
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store | ast.Del) and each.id in names:
            return False
        if isinstance(each, ast.Attribute) and not isinstance(each.ctx, ast.Load) and each.attr in attributes:
            return False
        if (
            isinstance(each, ast.Subscript)
            and not isinstance(each.ctx, ast.Load)
            and subscripts
            and names_in(each.value) & names
        ):
            return False
    return True


DICT_LOOKUP = Rule(
    "dict_lookup", "partners are found by one hash look-up instead of a search through all of them", find
)
