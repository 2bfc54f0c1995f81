"""Small shapes of code that several transformations look for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from agents.code.transformations.analysis.flow import Stability, guarded, is_bound_before, read_after, stable
from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.purity import purity

__all__ = [
    "Filter",
    "Ring",
    "assigned",
    "becomes_expression",
    "each_reference",
    "filtered_loop",
    "hoistable",
    "in_any_order",
    "is_seen_here_alone",
    "method",
    "names_in",
    "rings",
    "same",
    "starts_just_before",
    "taken_at_once",
]


_TAKERS = ("sum", "any", "all", "min", "max", "list", "set", "frozenset", "tuple", "sorted", "dict", "next")
_TAKING = frozenset(
    ["collections.Counter", "collections.deque", "heapq.nsmallest", "heapq.nlargest", "math.fsum", "math.prod",
     "statistics.mean", "statistics.median"]
)  # fmt: skip


def same(one: ast.AST, other: ast.AST) -> bool:
    """Equal code, whatever its layout, and whether it is read or written."""
    if isinstance(one, ast.Name) and isinstance(other, ast.Name):
        return one.id == other.id
    return ast.dump(one).replace("Store()", "Load()") == ast.dump(other).replace("Store()", "Load()")


def assigned(statement: ast.AST | None) -> tuple[ast.Name, ast.expr] | None:
    """The name and value of `name = value`, annotated or not."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0], statement.value
    if isinstance(statement, ast.AnnAssign) and statement.value is not None and isinstance(statement.target, ast.Name):
        return statement.target, statement.value
    return None


def method(node: ast.AST | None, *names: str, arguments: int | None = None) -> ast.expr | None:
    """The receiver of a call `receiver.name(…)` without keywords, with so many arguments."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in names:
        return None
    if node.keywords or any(isinstance(each, ast.Starred) for each in node.args):
        return None
    return node.func.value if arguments is None or len(node.args) == arguments else None


def names_in(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def each_reference(module: ParsedModule, name: ast.Name) -> list[ast.Name]:
    """Every use of the variable that a name stands for."""
    return module.names.references(module.names.home(name), name.id)


@dataclass(frozen=True)
class Filter:
    """`for target in iterable: [if condition:] body`, without `else`."""

    loop: ast.For
    conditions: tuple[ast.expr, ...]
    statements: tuple[ast.stmt, ...]

    @property
    def body(self) -> ast.stmt | None:
        """The only statement, if there is just one."""
        return self.statements[0] if len(self.statements) == 1 else None

    @property
    def targets(self) -> set[str]:
        return names_in(self.loop.target)

    def clauses(self, module: ParsedModule) -> str:
        """`for … in … if …`, as a comprehension writes it."""
        iterable, target = self.loop.iter, self.loop.target
        text = f"for {module.segment(target)} in {module.atom(iterable)}"
        return text + "".join(f" if {module.operand(each)}" for each in self.conditions)


def filtered_loop(loop: ast.For) -> Filter | None:
    """A loop without `else` over plain names, and the conditions all of its body stands behind."""
    if loop.orelse or not all(
        isinstance(each, ast.Name | ast.Tuple | ast.expr_context) for each in ast.walk(loop.target)
    ):
        return None
    body, conditions = loop.body, []
    while len(body) == 1 and isinstance(only := body[0], ast.If) and not only.orelse:
        conditions.append(only.test)
        body = only.body
    return Filter(loop, tuple(conditions), tuple(body))


def becomes_expression(module: ParsedModule, found: Filter, *parts: ast.expr) -> bool:
    """Whether a loop may become a comprehension: nothing in it binds, waits, or is looked at from outside later."""
    loop = found.loop
    if guarded(module, loop) or any(read_after(module, name, loop) for name in found.targets):
        return False
    lazy = (ast.Lambda, ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)
    for part in (loop.iter, *found.conditions, *parts):
        if any(isinstance(each, lazy) for each in ast.walk(part)):
            return False
        if any(isinstance(each, ast.GeneratorExp) and not taken_at_once(module, each) for each in ast.walk(part)):
            return False
        if any(isinstance(each, ast.Name) and each.id == "super" for each in ast.walk(part)):
            return False
    scope = module.scope(loop).owner
    return all(
        module.scope(each).owner is scope for name in found.targets for each in module.names.references(scope, name)
    )


def taken_at_once(module: ParsedModule, generator: ast.expr) -> bool:
    """Whether all that is ever read of a generator or iterator is read by the very call it is handed to."""
    call = module.parent(generator)
    if not isinstance(call, ast.Call) or generator not in call.args:
        return False
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("join", "extend", "update", "union"):
        return True
    if module.names.is_builtin(call.func, *_TAKERS):
        return True
    return dotted(module, call.func) in _TAKING


def in_any_order(module: ParsedModule, one: ast.expr, other: ast.expr) -> bool:
    """Whether nobody can tell which of two expressions is evaluated first."""
    if any(isinstance(each, ast.Name | ast.Constant) for each in (one, other)):
        return True
    return all(purity(module).expression(each) for each in (one, other))


def is_seen_here_alone(module: ParsedModule, name: str, statement: ast.stmt) -> bool:
    """Whether nothing but the running function itself can see what a name stands for half way through a statement.

    Not a global, nor a name that an inner function, or a generator that is read later, speaks of.
    """
    scope = module.scope(statement).owner
    if scope.lookup(name) is not scope:
        return False
    for each in module.names.references(scope, name):
        if module.scope(each).owner is not scope:
            return False
        for above in module.ancestors(each):
            if above is scope.node:
                break
            if isinstance(above, ast.GeneratorExp) and not taken_at_once(module, above):
                return False
    return True


def starts_just_before(module: ParsedModule, name: str, loop: ast.stmt) -> tuple[ast.stmt, ast.expr] | None:
    """The statement `name = value` in the block of a loop before it, if nothing between the two speaks of the name.

    None too for a name that others can see while the loop runs.
    """
    if not is_seen_here_alone(module, name, loop):
        return None
    block = module.block(loop)
    at = next(i for i, each in enumerate(block) if each is loop)
    for statement in reversed(block[:at]):
        found = assigned(statement)
        if found and found[0].id == name:
            return statement, found[1]
        if name in names_in(statement) or any(
            isinstance(each, ast.FunctionDef | ast.ClassDef) for each in ast.walk(statement)
        ):
            return None
    return None


@dataclass(frozen=True)
class Ring:
    """Something that evaluates a node again and again, and the statement before which a value can be made once."""

    region: ast.AST
    statement: ast.stmt


def rings(module: ParsedModule, node: ast.AST) -> Iterator[Ring]:
    """The loops, comprehensions and key functions around a node in its function, innermost first."""
    child = node
    for each in module.ancestors(node):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            if child not in each.body:
                return
            break
        if isinstance(each, ast.ClassDef):
            return
        if (isinstance(each, ast.For) and child in each.body) or (
            isinstance(each, ast.While) and (child is each.test or child in each.body)
        ):
            yield Ring(each, each)
        elif isinstance(each, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            if child is not each.generators[0] or not _within(module, node, each.generators[0].iter):
                statement = module.statement(each)
                tested = isinstance(statement, ast.While) and _within(module, each, statement.test)
                if isinstance(each, ast.GeneratorExp) and not taken_at_once(module, each):
                    return  # it may be read when everything has changed
                if not tested:
                    yield Ring(each, statement)
        elif isinstance(each, ast.Lambda) and child is each.body:
            statement = module.statement(each)
            if not _is_key(module, each) or isinstance(statement, ast.While):
                return
            yield Ring(each, statement)
        child = each


def _is_key(module: ParsedModule, function: ast.Lambda) -> bool:
    """Whether a lambda is the key of a call that is done with it when it returns."""
    keyword = module.parent(function)
    if not isinstance(keyword, ast.keyword) or keyword.arg != "key":
        return False
    call = module.parent(keyword)
    if not isinstance(call, ast.Call):
        return False
    sorts = isinstance(call.func, ast.Attribute) and call.func.attr == "sort"
    return (
        sorts
        or module.names.is_builtin(call.func, "sorted", "min", "max")
        or dotted(module, call.func) in ("heapq.nsmallest", "heapq.nlargest")
    )


def _within(module: ParsedModule, node: ast.AST, above: ast.AST) -> bool:
    return node is above or any(each is above for each in module.ancestors(node))


def hoistable(
    module: ParsedModule, node: ast.expr, around: list[Ring] | None = None
) -> tuple[ast.stmt, Stability] | None:
    """The statement before the outermost ring in which an expression stays the same, and on what condition it does."""
    best: tuple[ast.stmt, Stability] | None = None
    own = {scope for each in ast.walk(node) if (scope := module.names.own.get(each))}
    used = [each for each in ast.walk(node) if isinstance(each, ast.Name) and module.names.home(each) not in own]
    for ring in rings(module, node) if around is None else around:
        if any(
            isinstance(each, ast.Await | ast.Yield | ast.YieldFrom | ast.AsyncFor) for each in ast.walk(ring.region)
        ):
            break
        found = stable(module, node, ring.region)
        home = module.scope(ring.region).owner
        if found is None or home.dynamic:
            break
        local = [each for each in used if module.names.home(each) is home and home.is_function]
        if not all(is_bound_before(module, home, each.id, ring.statement) for each in local):
            break
        best = (ring.statement, found)
    return best
