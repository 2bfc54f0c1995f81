"""Which functions and expressions are pure: same values in, same value out, and nothing else happens.

Taken for granted, and said in the notes of the sites: operators, attributes and properties of the program's own
classes do not change anything, and annotations are true.
"""

from __future__ import annotations

import ast

from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import ANY_STR_METHODS, READING, is_immutable
from agents.code.transformations.analysis.library import (
    ERROR_ENDINGS,
    IMPURE_FUNCTIONS,
    MATCH_METHODS,
    PATTERN_METHODS,
    PURE_BUILTINS,
    PURE_CONSTANTS,
    PURE_FUNCTIONS,
    PURE_MODULES,
)
from agents.code.transformations.analysis.origins import called_function, is_constant_global, is_fresh
from agents.code.transformations.analysis.parsed import Function, ParsedModule
from agents.code.transformations.analysis.scopes import Binding
from agents.code.transformations.analysis.uses import GROWING, MUTATING, is_own_method, use_of

__all__ = ["Purity", "purity"]


def purity(module: ParsedModule) -> Purity:
    """The purity of the functions of a module; made once."""
    found = module.memory.get("purity")
    if not isinstance(found, Purity):
        found = module.memory["purity"] = Purity(module)
    return found


class Purity:
    def __init__(self, module: ParsedModule) -> None:
        self.module = module
        self.names = module.names
        self._known: dict[ast.AST, bool] = {}

    def function(self, function: Function) -> bool:
        """Whether a function is pure. A function that calls itself is assumed so while it is looked at."""
        if function not in self._known:
            self._known[function] = True
            self._known[function] = _Body(self, function).pure()
            if not self._known[function]:
                # others may have been found pure on the strength of the assumption
                self._known = {each: known for each, known in self._known.items() if not known}
        return self._known[function]

    def expression(self, node: ast.expr) -> bool:
        """Whether evaluating changes nothing, and gives the same while the objects behind its names stay the same."""
        return _Expression(self, None).pure(node)


class _Expression:
    """Purity of expressions; within a pure function (`body`), or anywhere."""

    def __init__(self, purity: Purity, body: _Body | None) -> None:
        self.purity = purity
        self.module = purity.module
        self.names = purity.names
        self.body = body

    def pure(self, node: ast.AST | None) -> bool:
        match node:
            case (
                None | ast.Constant() | ast.expr_context() | ast.operator() | ast.cmpop() | ast.boolop() | ast.unaryop()
            ):
                return True
            case ast.Name():
                return self.body is None or self.body.readable(node)
            case ast.Call():
                return self._call(node) and all(
                    self.pure(each) for each in [*node.args, *(k.value for k in node.keywords)]
                )
            case ast.Attribute():
                if self.body is None:
                    return self.pure(node.value)
                name = dotted(self.module, node)
                return name is not None and name.startswith(PURE_CONSTANTS)
            case ast.Lambda():
                return self.pure(node.body) and all(self.pure(each) for each in node.args.defaults)
            case (
                ast.BinOp() | ast.Compare() | ast.BoolOp() | ast.UnaryOp() | ast.IfExp() | ast.Subscript() | ast.Slice()
            ):
                return self._children(node)
            case (
                ast.Tuple()
                | ast.List()
                | ast.Set()
                | ast.Dict()
                | ast.JoinedStr()
                | ast.FormattedValue()
                | ast.Starred()
            ):
                return self._children(node)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                return self._children(node)
            case ast.comprehension():
                return not node.is_async and self._children(node)
        return False

    def _children(self, node: ast.AST) -> bool:
        return all(self.pure(each) for each in ast.iter_child_nodes(node))

    def _call(self, node: ast.Call) -> bool:
        func = node.func
        if self.names.is_builtin(func):
            assert isinstance(func, ast.Name)
            if func.id in ("map", "filter", "sorted", "min", "max"):
                takes = (
                    [*node.args[:1]]
                    if func.id in ("map", "filter")
                    else [k.value for k in node.keywords if k.arg == "key"]
                )
                return all(self._pure_callable(each) for each in takes)
            return func.id in PURE_BUILTINS or func.id.endswith(ERROR_ENDINGS)
        if name := dotted(self.module, func):
            if name in ("re.sub", "functools.reduce"):
                repl = node.args[1] if name == "re.sub" and len(node.args) > 1 else node.args[0] if node.args else None
                kind = kind_of(self.module, repl)
                return (kind is not None and kind.name == "str") or self._pure_callable(repl)
            return name in PURE_FUNCTIONS or (name.split(".")[0] in PURE_MODULES and name not in IMPURE_FUNCTIONS)
        if function := called_function(self.module, node):
            return not function.decorator_list and self.purity.function(function)
        return isinstance(func, ast.Attribute) and self._method(func, node)

    def _pure_callable(self, node: ast.expr | None) -> bool:
        if isinstance(node, ast.Lambda):
            return self.pure(node)
        if isinstance(node, ast.Constant) and node.value is None:
            return True
        if isinstance(node, ast.Name):
            if self.names.is_builtin(node):
                return node.id in PURE_BUILTINS
            bound = self.names.bindings(node)
            function = bound[0].node if len(bound) == 1 else None
            return (
                isinstance(function, ast.FunctionDef) and not function.decorator_list and self.purity.function(function)
            )
        if isinstance(node, ast.Attribute) and self.names.is_builtin(node.value, "str"):
            return True
        return isinstance(node, ast.Call) and (dotted(self.module, node.func) or "").startswith("operator.")

    def _method(self, func: ast.Attribute, node: ast.Call) -> bool:
        kind = kind_of(self.module, func.value)
        name = func.attr
        if not self.pure(func.value):
            return False
        if kind is None:
            own = bool(self.body and self.body.is_own(func.value) and name in READING["dict"])
            if is_own_method(self.module, name):
                return own
            joins = name == "join" and len(node.args) == 1 and self._gives_items(node.args[0])
            found = name in MATCH_METHODS and self._is_match(func.value)
            return own or joins or found or name in ANY_STR_METHODS
        if kind.name in ("str", "bytes", "int", "float", "match"):
            return True
        if kind.name == "pattern":
            if name in ("sub", "subn"):
                given = kind_of(self.module, node.args[0]) if node.args else None
                return (given is not None and given.name == "str") or bool(
                    node.args and self._pure_callable(node.args[0])
                )
            return name in PATTERN_METHODS
        return name in READING.get(kind.name, ())

    def _gives_items(self, node: ast.expr) -> bool:
        """Whether it is something that text is joined from, and not the seconds that a thread is waited for."""
        kind = kind_of(self.module, node)
        if kind is None:
            return isinstance(node, ast.Call | ast.ListComp | ast.GeneratorExp)
        return kind.name not in ("int", "float", "none", "optional", "bool")

    def _is_match(self, node: ast.expr) -> bool:
        """Whether it comes from a search by a pattern: threads and timers have a `start` as well."""
        if isinstance(node, ast.Call):
            return (
                isinstance(node.func, ast.Attribute) and node.func.attr in ("match", "search", "fullmatch", "finditer")
            ) or (isinstance(node.func, ast.Name) and (dotted(self.module, node.func) or "").startswith("re."))
        if not isinstance(node, ast.Name):
            return False
        sources = [
            by.iter if isinstance(by := each.by, ast.For | ast.comprehension) else getattr(by, "value", None)
            for each in self.names.bindings(node)
        ]
        return bool(sources) and all(isinstance(each, ast.Call) and self._is_match(each) for each in sources)


class _Body:
    """The statements of one function."""

    def __init__(self, purity: Purity, function: Function) -> None:
        self.purity = purity
        self.module = purity.module
        self.function = function
        self.scope = self.module.names.own[function]
        self.expressions = _Expression(purity, self)

    def pure(self) -> bool:
        if isinstance(self.function, ast.AsyncFunctionDef) or self.scope.dynamic:
            return False
        if self.scope.declared_global or self.scope.declared_nonlocal:
            return False
        return all(map(self.statement, self.function.body))

    def statement(self, node: ast.stmt) -> bool:
        pure, block = self.expressions.pure, self._block
        match node:
            case ast.Pass() | ast.Break() | ast.Continue():
                return True
            case ast.Return(value=value):
                return pure(value)
            case ast.Assign(targets=targets, value=value):
                return pure(value) and all(map(self.target, targets))
            case ast.AnnAssign(target=target, value=value):
                return pure(value) and self.target(target)
            case ast.AugAssign(target=target, value=value):
                return pure(value) and self.augmented(target)
            case ast.If(test=test) | ast.While(test=test):
                return pure(test) and block(node.body) and block(node.orelse)
            case ast.For(target=target, iter=it):
                return pure(it) and self.target(target) and block(node.body) and block(node.orelse)
            case ast.Raise(exc=exc, cause=cause):
                return (exc is None or isinstance(exc, ast.Name) or pure(exc)) and (
                    cause is None or isinstance(cause, ast.Name)
                )
            case ast.Assert(test=test, msg=msg):
                return pure(test) and pure(msg)
            case ast.Try():
                handlers = all(block(each.body) for each in node.handlers)
                return block(node.body) and handlers and block(node.orelse) and block(node.finalbody)
            case ast.Expr(value=value):
                return isinstance(value, ast.Constant) or self.effect(value) or pure(value)
        return False

    def _block(self, statements: list[ast.stmt]) -> bool:
        return all(map(self.statement, statements))

    def target(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Name):
            return True
        if isinstance(node, ast.Tuple | ast.List):
            return all(map(self.target, node.elts))
        if isinstance(node, ast.Starred):
            return self.target(node.value)
        if isinstance(node, ast.Subscript):
            return self.is_own(node.value) and self.expressions.pure(node.slice)
        return False

    def augmented(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Name):
            return is_immutable(kind_of(self.module, node)) or self._is_own_value(node)
        return self.target(node)

    def _is_own_value(self, node: ast.Name) -> bool:
        """Every plain binding of the name makes a value of its own, so changing it in place is nobody's business."""
        bound = [each for each in self.scope.bindings.get(node.id, []) if not isinstance(each.by, ast.AugAssign)]
        return bool(bound) and all(self._makes(each) for each in bound)

    def _makes(self, binding: Binding) -> bool:
        by = binding.by
        value = by.value if isinstance(by, ast.Assign | ast.AnnAssign) else None
        if value is None or (isinstance(by, ast.Assign) and by.targets != [binding.node]):
            return False
        return is_fresh(self.module, value) or is_immutable(kind_of(self.module, value))

    def is_own(self, node: ast.expr) -> bool:
        """Whether changing an object changes only what this function made itself, one level deep or below that."""
        while isinstance(node, ast.Subscript):
            node = node.value
            if isinstance(node, ast.Name) and not self._rows_are_own(node):
                return False
        if not isinstance(node, ast.Name) or self.module.names.home(node) is not self.scope:
            return False
        bound = [each for each in self.scope.bindings.get(node.id, []) if not isinstance(each.by, ast.AugAssign)]
        return bool(bound) and all(
            isinstance(each.by, ast.Assign | ast.AnnAssign)
            and each.by.value is not None
            and (not isinstance(each.by, ast.Assign) or each.by.targets == [each.node])
            and is_fresh(self.module, each.by.value)
            for each in bound
        )

    def _rows_are_own(self, node: ast.Name) -> bool:
        """A table made as `[[0] * n for _ in range(m)]`: its rows are new as well."""
        for each in self.scope.bindings.get(node.id, []):
            value = each.by.value if isinstance(each.by, ast.Assign | ast.AnnAssign) else None
            if not isinstance(value, ast.ListComp) or not is_fresh(self.module, value.elt):
                return False
        return all(
            use_of(self.module, each) in ("read", "rebind", "return", "change")
            for each in self.module.names.references(self.scope, node.id)
        )

    def effect(self, value: ast.expr) -> bool:
        """A method that changes an own container, standing alone."""
        if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
            return False
        given = all(self.expressions.pure(each) for each in [*value.args, *(k.value for k in value.keywords)])
        return value.func.attr in (MUTATING | GROWING) and self.is_own(value.func.value) and given

    def readable(self, node: ast.Name) -> bool:
        """A name of the function itself, a constant of the module, or a builtin."""
        home = self.module.names.home(node)
        if home is None:
            return self.module.names.is_builtin(node)
        if home is self.module.names.top:
            return is_constant_global(self.module, node.id)
        if home is self.scope or home.owner is self.scope or _within(home, self.function, self.module):
            return True
        return self.settled(node)

    def settled(self, node: ast.Name) -> bool:
        """A name of a function around: bound once before, and its object only read there."""
        home = self.module.names.home(node)
        assert home is not None
        bound = home.bindings.get(node.id, [])
        if len(bound) != 1 or not home.is_function:
            return False
        if isinstance(bound[0].node, ast.FunctionDef):
            return True
        by = bound[0].by
        if not isinstance(bound[0].node, ast.arg):
            around = list(self.module.ancestors(by))
            inside = around[: around.index(home.node)]
            if not isinstance(by, ast.Assign | ast.AnnAssign) or any(
                isinstance(each, ast.For | ast.While) for each in inside
            ):
                return False
        uses = {use_of(self.module, each) for each in self.module.names.references(home, node.id)}
        return is_immutable(kind_of(self.module, node)) or uses <= {"read", "rebind", "return"}


def _within(home: object, function: Function, module: ParsedModule) -> bool:
    node = getattr(home, "node", None)
    return isinstance(node, ast.AST) and function in set(module.ancestors(node))
