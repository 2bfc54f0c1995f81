"""Which name means what: scopes, bindings and references, by the rules of the language reference, section 4.2."""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Binding", "Scope", "ScopeTable"]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_DYNAMIC = frozenset({"eval", "exec", "locals", "vars", "globals"})
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True, eq=False)
class Binding:
    """`node` gives the name its value within `by`: an assignment, a loop, an argument list, an import, …"""

    node: ast.AST
    by: ast.AST
    scope: Scope
    """The scope the binding stands in; another than the name's own after `global` and `nonlocal`."""


@dataclass(eq=False)
class Scope:
    """A module, class, function, lambda or comprehension."""

    node: ast.AST
    parent: Scope | None
    bindings: dict[str, list[Binding]] = field(default_factory=lambda: defaultdict(list))
    declared_global: set[str] = field(default_factory=set)
    declared_nonlocal: set[str] = field(default_factory=set)
    dynamic: bool = False
    """Whether it, or a scope within it, looks names up at run time (`eval`, `locals`, …)."""

    @property
    def is_function(self) -> bool:
        return isinstance(self.node, _FUNCTIONS)

    @property
    def is_comprehension(self) -> bool:
        return isinstance(self.node, _COMPREHENSIONS)

    @property
    def top(self) -> Scope:
        return self if self.parent is None else self.parent.top

    @property
    def owner(self) -> Scope:
        """The nearest scope that is no comprehension."""
        return self.parent.owner if self.is_comprehension and self.parent else self

    def lookup(self, name: str) -> Scope | None:
        """The scope a name belongs to when used here; None when it is a builtin or unknown."""
        if name in self.declared_global:
            return self.top
        if name in self.bindings and name not in self.declared_nonlocal:
            return self
        above = self.parent
        while above is not None and isinstance(above.node, ast.ClassDef):
            above = above.parent
        if above is None:
            return None
        return above._from_within(name)

    def _from_within(self, name: str) -> Scope | None:
        if name in self.declared_global:
            return self.top
        if name in self.bindings and name not in self.declared_nonlocal:
            return self
        above = self.parent
        while above is not None and isinstance(above.node, ast.ClassDef):
            above = above.parent
        return above._from_within(name) if above else None


class ScopeTable:
    """The scopes of a module; built in one walk."""

    def __init__(self, tree: ast.Module) -> None:
        self.top = Scope(tree, None)
        self.scope_of: dict[ast.AST, Scope] = {}
        self.own: dict[ast.AST, Scope] = {tree: self.top}
        """The scope a definition, lambda or comprehension opens."""
        self.words: set[str] = {*dir(builtins)}
        """Every identifier that stands anywhere: what a fresh name must not be."""
        self.star_import = False
        self._names: list[ast.Name] = []
        self._nonlocal: list[tuple[str, Binding]] = []
        self._visit(tree, self.top)
        for name, binding in self._nonlocal:
            home = binding.scope.parent and binding.scope.parent.lookup(name)
            if home:
                home.bindings[name].append(binding)
        self._references: dict[tuple[Scope | None, str], list[ast.Name]] = defaultdict(list)
        for each in self._names:
            self._references[self.scope_of[each].lookup(each.id), each.id].append(each)
        for each in self._names:
            if each.id in _DYNAMIC and self.scope_of[each].lookup(each.id) is None:
                scope: Scope | None = self.scope_of[each]
                while scope is not None and scope.parent is not None:
                    scope.dynamic = True
                    scope = scope.parent

    def references(self, scope: Scope | None, name: str) -> list[ast.Name]:
        """Every use of a name of a scope as a `Name` node: loads, stores and deletions, nested scopes included."""
        return self._references.get((scope, name), [])

    def home(self, name: ast.Name) -> Scope | None:
        return self.scope_of[name].lookup(name.id)

    def is_builtin(self, node: ast.AST, *names: str) -> bool:
        """Whether a node is the name of one of these builtins (of any, when none is given), shadowed nowhere."""
        return (
            isinstance(node, ast.Name)
            and (node.id in names if names else hasattr(builtins, node.id))
            and not self.star_import
            and self.home(node) is None
        )

    def bindings(self, name: ast.Name) -> list[Binding]:
        home = self.home(name)
        return home.bindings.get(name.id, []) if home else []

    # ------------------------------------------------------------------ the walk
    def _bind(self, name: str, node: ast.AST, by: ast.AST, scope: Scope) -> None:
        self.words.add(name)
        binding = Binding(node, by, scope)
        if name in scope.declared_global:
            self.top.bindings[name].append(binding)
        elif name in scope.declared_nonlocal:
            self._nonlocal.append((name, binding))
        else:
            scope.bindings[name].append(binding)

    def _visit(self, node: ast.AST, scope: Scope, by: ast.AST | None = None) -> None:
        self.scope_of[node] = scope
        if isinstance(node, _FUNCTIONS):
            self._function(node, scope)
            return
        if isinstance(node, ast.ClassDef):
            self._class(node, scope)
            return
        if isinstance(node, _COMPREHENSIONS):
            self._comprehension(node, scope)
            return
        if isinstance(node, ast.Name):
            self.words.add(node.id)
            self._names.append(node)
            if not isinstance(node.ctx, ast.Load):
                self._bind(node.id, node, by or node, scope)
        elif isinstance(node, ast.NamedExpr):
            self.scope_of[node.target] = scope.owner
            self._names.append(node.target)
            self._bind(node.target.id, node.target, node, scope.owner)
            self._visit(node.value, scope)
            return
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                self.scope_of[alias] = scope
                if alias.name == "*":
                    self.star_import = True
                else:
                    self._bind(alias.asname or alias.name.split(".")[0], alias, node, scope)
            return
        elif isinstance(node, ast.Global):
            scope.declared_global.update(node.names)
            self.words.update(node.names)
        elif isinstance(node, ast.Nonlocal):
            scope.declared_nonlocal.update(node.names)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            self._bind(node.name, node, node, scope)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            self._bind(node.rest, node, node, scope)
        binder = node if isinstance(node, ast.stmt | ast.withitem) else by
        for child in ast.iter_child_nodes(node):
            self._visit(child, scope, binder)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope) -> None:
        inner = Scope(node, scope)
        self.own[node] = inner
        if not isinstance(node, ast.Lambda):
            self._bind(node.name, node, node, scope)
            outside: list[ast.AST] = [*node.decorator_list, *([node.returns] if node.returns else [])]
            outside += getattr(node, "type_params", [])
            for each in outside:
                self._visit(each, scope)
            # `global` counts for the whole body, wherever it stands
            for each in _own_statements(node.body):
                if isinstance(each, ast.Global):
                    inner.declared_global.update(each.names)
                elif isinstance(each, ast.Nonlocal):
                    inner.declared_nonlocal.update(each.names)
        arguments = node.args
        self.scope_of[arguments] = scope
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            if default is not None:
                self._visit(default, scope)
        for arg in ast.walk(arguments):
            if isinstance(arg, ast.arg) and arg not in self.scope_of:
                self.scope_of[arg] = inner
                if arg.annotation:
                    self._visit(arg.annotation, scope)
        for arg in _arguments(arguments):
            self._bind(arg.arg, arg, arguments, inner)
        for child in [node.body] if isinstance(node, ast.Lambda) else node.body:
            self._visit(child, inner)

    def _class(self, node: ast.ClassDef, scope: Scope) -> None:
        inner = Scope(node, scope)
        self.own[node] = inner
        self._bind(node.name, node, node, scope)
        for each in [*node.decorator_list, *node.bases, *node.keywords, *getattr(node, "type_params", [])]:
            self._visit(each, scope)
        for child in node.body:
            self._visit(child, inner)

    def _comprehension(self, node: Comprehension, scope: Scope) -> None:
        inner = Scope(node, scope)
        self.own[node] = inner
        for i, clause in enumerate(node.generators):
            self.scope_of[clause] = inner
            self._visit(clause.iter, inner if i else scope)
            self._visit(clause.target, inner, clause)
            for condition in clause.ifs:
                self._visit(condition, inner)
        for each in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            self._visit(each, inner)


def _arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from arguments.posonlyargs
    yield from arguments.args
    yield from arguments.kwonlyargs
    if arguments.vararg:
        yield arguments.vararg
    if arguments.kwarg:
        yield arguments.kwarg


def _own_statements(body: list[ast.stmt]) -> Iterator[ast.AST]:
    todo: list[ast.AST] = [*body]
    while todo:
        each = todo.pop()
        yield each
        if not isinstance(each, (*_FUNCTIONS, ast.ClassDef, ast.expr)):
            todo += ast.iter_child_nodes(each)
