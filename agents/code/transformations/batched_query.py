"""Ask the database once for all keys, not once for each element of a loop.

    for order in orders:                                        elements = list(orders)
        row = conn.execute(                                     rows = [[] for _ in elements]
            "SELECT name FROM customers WHERE id = ?",     →    for start in range(0, len(elements), 900): … one query
            (order["customer"],),                               for place, order in enumerate(elements):
        ).fetchone()                                                row = (rows[place] or [None])[0]
        names.append(row and row[0])                                names.append(row and row[0])

For `execute(…)` with `fetchone()`, `fetchall()` or a loop over it, at once or in the next statement, and for a method
that does just that.  Every element
keeps its own rows in their order, none where there are none, and twice where a key stands twice.  Refused: loops that
write, call what is not known to leave the database alone, end early, or catch errors; and rows that a `row_factory`
makes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import partial

from agents.code.transformations.analysis.flow import holds_any, is_bound_before, loops
from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import CONTAINERS
from agents.code.transformations.analysis.library import PURE_BUILTINS
from agents.code.transformations.analysis.origins import is_fresh
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.purity import purity
from agents.code.transformations.analysis.shapes import assigned, names_in, same
from agents.code.transformations.analysis.uses import GROWING, MUTATING
from agents.code.transformations.drafts import Draft
from agents.code.transformations.queries import (
    FETCHES,
    Query,
    Reader,
    fetches_read,
    is_only_paired,
    made_by,
    may_be_cursor,
    once_a_round,
    query_of,
    reads,
)
from agents.code.transformations.rules import Rewrite, Rule, conditions

__all__ = ["BATCHED_QUERY", "Reader", "batched_query"]

CHUNK = 900
"""Keys of one query: below the 999 variables of an old SQLite."""
_LEAVES = (
    ast.Break, ast.Return, ast.Yield, ast.YieldFrom, ast.Await, ast.Try, ast.TryStar, ast.With, ast.AsyncWith,
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.Delete, ast.Global, ast.Nonlocal,
)  # fmt: skip


def batched_query(readers: Mapping[str, Reader] | None = None) -> Rule:
    """The rule, knowing methods by name that are as good as `execute(…).fetchall()`."""
    return Rule(
        "batched_query", "the database is asked once for all keys, not once for each", partial(find, readers or {})
    )


def find(readers: Mapping[str, Reader], module: ParsedModule) -> Iterator[Rewrite]:
    if "row_factory" in module.text:
        return
    for loop in loops(module):
        if not isinstance(loop, ast.For) or loop.orelse or not _plain(loop.target):
            continue
        for statement in loop.body:
            for node in ast.walk(statement):
                query = query_of(module, readers, node) if isinstance(node, ast.Call) else None
                if query is not None and once_a_round(module, query, loop, statement):
                    yield from _batched(module, readers, loop, statement, query)


def _batched(
    module: ParsedModule, readers: Mapping[str, Reader], loop: ast.For, statement: ast.stmt, query: Query
) -> Iterator[Rewrite]:
    key = _key(module, loop, statement, query.key)
    notes = _quiet(module, readers, loop, query)
    if key is None or notes is None or not _steady(module, loop, query):
        return
    plain = isinstance(key, ast.Name)
    draft = Draft(module)
    elements, rows, place = draft.fresh("elements"), draft.fresh("rows_by_place"), draft.fresh("place")
    start, keys, wanted, at, row = (draft.fresh(name) for name in ("start", "keys", "wanted", "at", "found"))
    anything = draft.imported("typing", "Any", at=loop)
    target = module.segment(loop.target)
    receiver = module.segment(query.receiver)
    head, columns, tail = query.select.parts()
    draft.before(
        loop,
        f"{elements} = list({module.segment(loop.iter)})",
        f"{rows}: list[list[{anything}]] = [[] for _ in {elements}]",
        f"for {start} in range(0, len({elements}), {CHUNK}):",
        f"    {keys} = tuple({module.segment(key)} for {target} in {elements}[{start} : {start} + {CHUNK}])",
        f'    {wanted} = ", ".join(f"({{{at}}}, ?)" for {at} in range({start}, {start} + len({keys})))',
        f'    {wanted} = "".join((',
        f"        {_quoted(head)},",
        f"        {wanted},",
        f"        {_quoted(columns)},",
        f"        {_quoted(tail)},",
        "    ))",
        f"    for *{row}, {place} in {receiver}.{query.name}({wanted}, {keys}):",
        f"        {rows}[{place}].append(tuple({row}))",
    )
    draft.replace(loop.target, f"{place}, {ast.unparse(loop.target)}")
    draft.replace(loop.iter, f"enumerate({elements})")
    if query.first is not None:
        draft.remove(query.first)
    draft.replace(query.whole, f"({rows}[{place}] or [None])[0]" if query.one else f"{rows}[{place}]")
    note = conditions(
        f"`{receiver}` is {'a connection to' if query.direct else 'a database of'} SQLite that gives rows as tuples",
        "nothing else writes to it while the loop runs",
        "" if plain else f"reading `{module.segment(key)}` does nothing else and does not fail",
        f"going through `{module.segment(loop.iter)}` does nothing else",
        *notes,
    )
    yield from draft.rewrite(query.whole, f"ask `{receiver}` once for all keys", note)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _plain(target: ast.expr) -> bool:
    return all(isinstance(each, ast.Name | ast.Tuple | ast.expr_context) for each in ast.walk(target))


# ----------------------------------------------------------------------- the loop


def _key(module: ParsedModule, loop: ast.For, statement: ast.stmt, key: ast.expr) -> ast.expr | None:
    """The key as an expression of the loop's targets alone: a name, an item or an attribute of one."""
    if isinstance(key, ast.Name) and key.id not in names_in(loop.target):
        before = loop.body[: loop.body.index(statement)]
        values = [pair[1] for each in before if (pair := assigned(each)) and pair[0].id == key.id]
        bound = module.names.bindings(key)
        if len(values) != 1 or len(bound) != 1:
            return None
        key = values[0]
    owner = key
    if isinstance(key, ast.Attribute) or (isinstance(key, ast.Subscript) and isinstance(key.slice, ast.Constant)):
        owner = key.value
    if not isinstance(owner, ast.Name) or owner.id not in names_in(loop.target):
        return None
    return None if _changed(loop, owner, key) else key


def _changed(loop: ast.For, owner: ast.Name, key: ast.expr) -> bool:
    """Whether the body binds the owner anew, or may write the item or attribute that is the key."""
    for each in (node for part in loop.body for node in ast.walk(part)):
        if isinstance(each, ast.Name) and each.id == owner.id and not isinstance(each.ctx, ast.Load):
            return True
        if isinstance(each, ast.Attribute) and not isinstance(each.ctx, ast.Load) and isinstance(key, ast.Attribute):
            if each.attr == key.attr:
                return True
        elif isinstance(each, ast.Subscript) and not isinstance(each.ctx, ast.Load) and isinstance(key, ast.Subscript):
            other = isinstance(each.slice, ast.Constant) and isinstance(key.slice, ast.Constant)
            if not other or each.slice.value == key.slice.value:  # type: ignore[attr-defined]  # both are constants
                return True
        elif owner.id in _mutated(each):
            return True
    return False


def _steady(module: ParsedModule, loop: ast.For, query: Query) -> bool:
    """Whether receiver and elements are the same all through the loop, and known before it."""
    stored = {
        each.id for part in (loop.target, *loop.body) for each in ast.walk(part)
        if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load)
    }  # fmt: skip
    receiver = query.receiver
    while isinstance(receiver, ast.Attribute):
        receiver = receiver.value
    if not isinstance(receiver, ast.Name) or receiver.id in stored:
        return False
    if query.paired and not is_only_paired(module, query.receiver):
        return False
    if query.direct and not query.paired and may_be_cursor(module, query.receiver):
        return False
    for each in (node for part in loop.body for node in ast.walk(part)):
        if (
            isinstance(each, ast.Attribute)
            and not isinstance(each.ctx, ast.Load)
            and isinstance(query.receiver, ast.Attribute)
        ):
            return False
        if _mutated(each) & names_in(loop.iter):
            return False
        stores = isinstance(each, ast.Subscript) and not isinstance(each.ctx, ast.Load)
        if stores and same(each.value, loop.iter):  # type: ignore[attr-defined]  # it is a subscript
            return False
    again = query.direct and any(same(query.receiver, each) for each in ast.walk(loop.iter))
    if again and not query.paired and not _is_connection(module, receiver):
        return False  # a cursor that is read while it is asked something else begins anew
    scope = module.scope(loop).owner
    return module.names.home(receiver) is not scope or is_bound_before(module, scope, receiver.id, loop)


def _mutated(node: ast.AST) -> set[str]:
    """The names in what a method that changes its object is called on."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATING:
        return names_in(node.func.value)
    return set()


def _is_connection(module: ParsedModule, name: ast.Name) -> bool:
    bound = module.names.bindings(name)
    if len(bound) != 1:
        return False
    if isinstance(bound[0].node, ast.arg) and bound[0].node.annotation is not None:
        return dotted(module, bound[0].node.annotation) == "sqlite3.Connection"
    made = made_by(module, name)
    return len(made) == 1 and isinstance(made[0], ast.Call) and dotted(module, made[0].func) == "sqlite3.connect"


def _quiet(module: ParsedModule, readers: Mapping[str, Reader], loop: ast.For, query: Query) -> list[str] | None:
    """On what conditions the body leaves the database alone and runs to its end; None where it may not."""
    notes: list[str] = []
    for part in loop.body:
        if holds_any(part, *_LEAVES):
            return None
        for each in ast.walk(part):
            if not isinstance(each, ast.Call):
                continue
            note = _leaves_alone(module, readers, each)
            if note is None:
                return None
            notes.append(note)
    return notes


def _leaves_alone(module: ParsedModule, readers: Mapping[str, Reader], call: ast.Call) -> str | None:
    """Empty for a call that writes nothing to a database, the condition on which it does not, None where it may."""
    func = call.func
    if reads(module, readers, call) or module.names.is_builtin(func, "print"):
        return ""
    if isinstance(func, ast.Attribute) and func.attr in (MUTATING | GROWING) and _is_container(module, func.value):
        return ""
    if isinstance(func, ast.Attribute) and func.attr in FETCHES:
        return "" if fetches_read(module, readers, func.value) else None
    if isinstance(func, ast.Name) and func.id[:1].isupper() and not module.names.is_builtin(func):
        return f"`{func.id}(…)` leaves the database alone"
    plain = module.names.is_builtin(func, *(PURE_BUILTINS - {"map", "filter"})) and not call.keywords
    return "" if plain or purity(module).expression(call) else None


def _is_container(module: ParsedModule, node: ast.expr) -> bool:
    kind = kind_of(module, node)
    if kind is not None:
        return kind.name in CONTAINERS
    return isinstance(node, ast.Name) and bool(made := made_by(module, node)) and all(is_fresh(module, m) for m in made)


BATCHED_QUERY = batched_query()
