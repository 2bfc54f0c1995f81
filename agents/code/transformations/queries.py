"""Queries in Python code: `execute(…)` with what takes its rows, or a method that gives them, for one key each time."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from agents.code.transformations.analysis.origins import is_constant_global
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import same
from agents.code.transformations.selects import Select, read_select

__all__ = [
    "FETCHES",
    "Query",
    "Reader",
    "fetches_read",
    "is_only_paired",
    "made_by",
    "may_be_cursor",
    "once_a_round",
    "query_of",
    "reads",
]

FETCHES = ("fetchone", "fetchall")
_SOMETIMES = (ast.BoolOp, ast.IfExp, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True)
class Reader:
    """A method of a class that runs a query and returns the list of its rows: `rows(self, template, values)`."""

    owner: str
    name: str


@dataclass(frozen=True)
class Query:
    """`whole` is the expression that gives the rows, of `receiver.name(select, (key,))`; with `one`, the first row.

    `first` is the statement before it that only runs the query: `cursor = conn.execute(…)`, or, with `paired`,
    `cursor.execute(…)`, whose rows the very next statement takes.  `direct`: it is `execute` itself.
    """

    whole: ast.expr
    receiver: ast.expr
    name: str
    select: Select
    key: ast.expr
    one: bool
    direct: bool
    first: ast.stmt | None = None
    paired: bool = False


def query_of(module: ParsedModule, readers: Mapping[str, Reader], call: ast.Call) -> Query | None:
    """The query that a call runs for one key, if its text and the use of its rows are known."""
    if not isinstance(call.func, ast.Attribute) or call.keywords or len(call.args) != 2:
        return None
    name, receiver = call.func.attr, call.func.value
    direct = name == "execute"
    if not direct and not _is_reader(module, readers.get(name), receiver):
        return None
    given = call.args[1]
    if not isinstance(given, ast.Tuple | ast.List) or len(given.elts) != 1:
        return None
    select = _select(module, call.args[0])
    use = _rows_of(module, call) if direct else (call, False)
    first, paired = None, False
    if use is None:
        use, first, paired = (*_rows_later(module, call, receiver),)
    if select is None or use is None or (select.first and not use[1]):
        return None
    return Query(use[0], receiver, name, select, given.elts[0], use[1], direct, first, paired)


def _is_reader(module: ParsedModule, reader: Reader | None, receiver: ast.expr) -> bool:
    """Whether the receiver is a parameter that is annotated with the reader's class."""
    if reader is None or not isinstance(receiver, ast.Name):
        return False
    bound = module.names.bindings(receiver)
    if len(bound) != 1 or not isinstance(bound[0].node, ast.arg):
        return False
    said = bound[0].node.annotation
    return (isinstance(said, ast.Name | ast.Attribute)) and (
        said.id if isinstance(said, ast.Name) else said.attr
    ) == reader.owner


def _select(module: ParsedModule, node: ast.expr) -> Select | None:
    text = _text(module, node)
    return read_select(text) if text is not None else None


def _text(module: ParsedModule, node: ast.expr) -> str | None:
    """The text of a literal, or of a constant of the module."""
    if (
        isinstance(node, ast.Name)
        and module.names.home(node) is module.names.top
        and is_constant_global(module, node.id)
    ):
        by = module.names.bindings(node)[0].by
        node = by.value if isinstance(by, ast.Assign | ast.AnnAssign) and by.value is not None else node
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _rows_of(module: ParsedModule, call: ast.expr) -> tuple[ast.expr, bool] | None:
    """The expression that gives the rows of `execute(…)`, or of a cursor, and whether it gives the first one only."""
    above = module.parent(call)
    if isinstance(above, ast.Attribute) and above.attr in FETCHES:
        fetch = module.parent(above)
        if isinstance(fetch, ast.Call) and fetch.func is above and not fetch.args and not fetch.keywords:
            return fetch, above.attr == "fetchone"
        return None
    iterated = isinstance(above, ast.For | ast.comprehension) and above.iter is call
    taken = isinstance(above, ast.Call) and module.names.is_builtin(above.func, "list", "tuple", "sorted", "set")
    return (call, False) if iterated or taken else None


def _rows_later(
    module: ParsedModule, call: ast.Call, receiver: ast.expr
) -> tuple[tuple[ast.expr, bool] | None, ast.stmt | None, bool]:
    """As `_rows_of`, where a statement of its own runs the query; that statement, and whether it keeps no cursor."""
    above = module.parent(call)
    if isinstance(above, ast.Assign) and len(above.targets) == 1 and isinstance(name := above.targets[0], ast.Name):
        uses = module.names.references(module.names.home(name), name.id)
        others = [each for each in uses if each is not name]
        if (
            len(others) == 1
            and isinstance(others[0].ctx, ast.Load)
            and module.function(others[0]) is module.function(call)
        ):
            return _rows_of(module, others[0]), above, False
    if isinstance(above, ast.Expr) and (after := module.following(above)) is not None:
        for each in ast.walk(after):
            if isinstance(each, ast.Attribute) and each.attr in FETCHES and same(each.value, receiver):
                return _rows_of(module, each.value), above, True
    return None, None, False


def once_a_round(module: ParsedModule, query: Query, loop: ast.For, statement: ast.stmt) -> bool:
    """Whether the rows are asked for and taken exactly once each time the body of the loop comes to `statement`."""
    taken = module.statement(query.whole)
    body = loop.body
    if not any(taken is each for each in body):
        return False
    if query.first is None:
        return taken is statement and _always(module, query.whole, taken)
    later = query.first is statement and body.index(taken) > body.index(statement)
    return later and _always(module, query.whole, taken)


def _always(module: ParsedModule, whole: ast.expr, statement: ast.stmt) -> bool:
    """Whether an expression is evaluated exactly once each time its statement is carried out."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr | ast.If | ast.For):
        return False
    child: ast.AST = whole
    for each in module.ancestors(whole):
        if each is statement:
            return True
        if isinstance(each, _SOMETIMES):
            first = each.generators[0] if not isinstance(each, ast.BoolOp | ast.IfExp) else None
            if first is None or child is not first:
                return False
        if isinstance(each, ast.comprehension) and child is not each.iter:
            return False
        child = each
    return False


def reads(module: ParsedModule, readers: Mapping[str, Reader], call: ast.Call) -> bool:
    """Whether it is a query whose text begins with SELECT."""
    if not isinstance(call.func, ast.Attribute) or not call.args:
        return False
    if call.func.attr != "execute" and not _is_reader(module, readers.get(call.func.attr), call.func.value):
        return False
    text = _text(module, call.args[0])
    return text is not None and text.lstrip()[:6].upper() == "SELECT"


def fetches_read(module: ParsedModule, readers: Mapping[str, Reader], source: ast.expr) -> bool:
    """Whether what is fetched from ran a query whose text begins with SELECT: at once, or in the statement before."""
    if isinstance(source, ast.Call):
        return reads(module, readers, source)
    if isinstance(source, ast.Name) and any(
        isinstance(m, ast.Call) and reads(module, readers, m) for m in made_by(module, source)
    ):
        return len(module.names.bindings(source)) == 1
    before = module.previous(module.statement(source))
    ran = before.value if isinstance(before, ast.Expr) else None
    return (
        isinstance(ran, ast.Call)
        and isinstance(ran.func, ast.Attribute)
        and same(ran.func.value, source)
        and reads(module, readers, ran)
    )


def made_by(module: ParsedModule, name: ast.Name) -> list[ast.expr]:
    """What is assigned to the variable that a name stands for."""
    values = [each.by.value for each in module.names.bindings(name) if isinstance(each.by, ast.Assign | ast.AnnAssign)]
    return [value for value in values if value is not None]


def may_be_cursor(module: ParsedModule, receiver: ast.expr) -> bool:
    """By its name, its annotation, or what it was made by."""
    told = [module.segment(receiver)]
    if isinstance(receiver, ast.Name):
        arguments = (each.node for each in module.names.bindings(receiver) if isinstance(each.node, ast.arg))
        told += [ast.dump(each.annotation) for each in arguments if each.annotation is not None]
        told += map(ast.dump, made_by(module, receiver))
    return any("cursor" in each.lower() for each in told)


def is_only_paired(module: ParsedModule, name: ast.expr) -> bool:
    """Whether a cursor is made in the function, and never read but right after it was asked something.

    Then nobody sees what a query before has left in it.
    """
    if not isinstance(name, ast.Name):
        return False
    made = made_by(module, name)
    if len(made) != 1 or len(module.names.bindings(name)) != 1 or not isinstance(made[0], ast.Call):
        return False
    scope = module.scope(name).owner
    if module.names.home(name) is not scope or not scope.is_function:
        return False
    for each in module.names.references(scope, name.id):
        if not isinstance(each.ctx, ast.Load):
            continue
        above = module.parent(each)
        called = (
            isinstance(above, ast.Attribute)
            and isinstance(call := module.parent(above), ast.Call)
            and call.func is above
        )
        if module.scope(each).owner is not scope or not isinstance(above, ast.Attribute) or not called:
            return False
        if above.attr in FETCHES:
            before = module.previous(module.statement(each))
            ran = before.value if isinstance(before, ast.Expr) else None
            asked = isinstance(ran, ast.Call) and isinstance(ran.func, ast.Attribute) and ran.func.attr == "execute"
            if not asked or not same(ran.func.value, name):  # type: ignore[union-attr]  # it is a call of an attribute
                return False
        elif above.attr not in ("execute", "close"):
            return False
    return True
