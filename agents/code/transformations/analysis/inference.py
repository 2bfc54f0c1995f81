"""The kind of an expression, from literals, builtins, methods and annotations; None when unknown."""

from __future__ import annotations

import ast

from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.kinds import STR, Kind, annotated, iterated
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.results import Results, common, operation
from agents.code.transformations.analysis.scopes import Binding, Scope
from agents.code.transformations.analysis.uses import use_of

__all__ = ["kind_of"]

_DEPTH = 14
_BOOL = Kind("bool")
_GROWING_KINDS = frozenset({"list", "set", "dict", "deque"})
_CONSTANTS: dict[type, str] = {
    str: "str", bytes: "bytes", bool: "bool", int: "int", float: "float", complex: "complex", type(None): "none"
}  # fmt: skip
_TEXT_CONSTANTS = frozenset(
    f"string.{name}"
    for name in (
        "punctuation",
        "ascii_letters",
        "ascii_lowercase",
        "ascii_uppercase",
        "digits",
        "whitespace",
        "printable",
    )
)


def kind_of(module: ParsedModule, node: ast.expr | None) -> Kind | None:
    """The kind every value of an expression has, if it is known."""
    return _Inference(module).of(node) if node is not None else None


class _Inference:
    def __init__(self, module: ParsedModule) -> None:
        self.module = module
        self.names = module.names
        self._memory: dict[tuple[Scope, str], Kind | None] = module.memory.setdefault("kinds", {})
        self._guesses: dict[tuple[Scope, str], Kind | None] = {}
        self._depth = 0
        self.results = Results(module, self.of)

    def of(self, node: ast.expr) -> Kind | None:
        if self._depth > _DEPTH:
            return None
        self._depth += 1
        try:
            return self._of(node)
        finally:
            self._depth -= 1

    def _of(self, node: ast.expr) -> Kind | None:
        match node:
            case ast.Constant(value=value):
                name = _CONSTANTS.get(type(value))
                return Kind(name) if name else None
            case ast.JoinedStr():
                return STR
            case ast.Name():
                return self._name(node)
            case ast.List(elts=elts) | ast.Set(elts=elts):
                return Kind("list" if isinstance(node, ast.List) else "set", self._common(elts))
            case ast.Tuple(elts=elts):
                if any(isinstance(each, ast.Starred) for each in elts):
                    return Kind("tuple")
                kinds = tuple(self.of(each) for each in elts)
                return Kind("tuple", kinds[0] if len(set(kinds)) == 1 else None, items=kinds)
            case ast.Dict(keys=keys, values=values):
                if any(key is None for key in keys):
                    return Kind("dict")
                return Kind("dict", self._common([key for key in keys if key]), self._common(values))
            case ast.ListComp(elt=elt) | ast.SetComp(elt=elt) | ast.GeneratorExp(elt=elt):
                name = {ast.ListComp: "list", ast.SetComp: "set"}.get(type(node), "iterator")
                return Kind(name, self.of(elt))
            case ast.DictComp(key=key, value=value):
                return Kind("dict", self.of(key), self.of(value))
            case ast.Compare(ops=ops):
                if all(isinstance(op, ast.In | ast.NotIn | ast.Is | ast.IsNot) for op in ops):
                    return _BOOL
                return _BOOL if all(self._plain(each) for each in [node.left, *node.comparators]) else None
            case ast.BoolOp(values=values):
                return self._common(values)
            case ast.IfExp(body=body, orelse=orelse):
                return self._common([body, orelse])
            case ast.UnaryOp(op=op, operand=operand):
                if isinstance(op, ast.Not):
                    return _BOOL
                kind = self.of(operand)
                return kind if kind and kind.name in ("int", "float") else None
            case ast.BinOp():
                return operation(self.of(node.left), node.op, self.of(node.right))
            case ast.Subscript():
                return self._subscript(node)
            case ast.Call():
                return self.results.call(node)
            case ast.NamedExpr(value=value):
                return self.of(value)
            case ast.Attribute():
                return STR if dotted(self.module, node) in _TEXT_CONSTANTS else None
        return None

    def _plain(self, node: ast.expr) -> bool:
        kind = self.of(node)
        return kind is not None and kind.name in ("str", "int", "float", "bool", "bytes", "none")

    def _common(self, nodes: list[ast.expr]) -> Kind | None:
        return common([self.of(each) for each in nodes])

    def _subscript(self, node: ast.Subscript) -> Kind | None:
        kind = self.of(node.value)
        if kind is None:
            return None
        if isinstance(node.slice, ast.Slice):
            return (
                kind if kind.name in ("str", "bytes", "list", "range") else Kind(kind.name, kind.item, sure=kind.sure)
            )
        if kind.name == "str":
            return Kind("str", sure=kind.sure)
        if kind.name == "bytes":
            return Kind("int", sure=kind.sure)
        if kind.name in ("dict", "counter", "defaultdict", "mapping"):
            return kind.value
        if kind.items is not None and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
            index = node.slice.value
            return kind.items[index] if -len(kind.items) <= index < len(kind.items) else None
        return kind.item if kind.name in ("list", "tuple", "deque", "sequence", "range") else None

    # ------------------------------------------------------------------ names
    def _name(self, node: ast.Name) -> Kind | None:
        home = self.names.home(node)
        if home is None:
            return None
        key = (home, node.id)
        if key in self._memory:
            return self._memory[key]
        if key in self._guesses:
            return self._guesses[key]
        self._guesses[key] = None
        bindings = home.bindings[node.id]
        kinds = [self._bound(each, node.id) for each in bindings]
        guess = next((kind for kind in kinds if kind is not None), None)
        result = guess
        if guess is None:
            result = None
        elif any(kind != guess for kind in kinds):
            # a binding may speak of the name itself, as in `s = s + x`: take the guess and look again
            self._guesses[key] = guess
            kinds = [self._bound(each, node.id) for each in bindings]
            result = guess if all(kind == guess for kind in kinds) else self._looser(kinds)
        if result and any(kind and not kind.sure for kind in kinds):
            result = Kind(result.name, result.item, result.value, result.items, sure=False)
        if result and result.name in _GROWING_KINDS and not any(_is_annotated(each) for each in bindings):
            result = self._grown(result, home, node.id)
        del self._guesses[key]
        if not self._guesses and self._depth <= 2:
            self._memory[key] = result
        return result

    def _grown(self, kind: Kind, home: Scope, name: str) -> Kind:
        """The kind of a container after everything that is put into it; without its items when that is unknown."""
        items: list[Kind | None] = [kind.item] if kind.item else []
        values: list[Kind | None] = [kind.value] if kind.value else []
        for each in self.names.references(home, name):
            use = use_of(self.module, each)
            above = self.module.parent(each)
            if use in ("alias", "change") and isinstance(above, ast.Subscript) and isinstance(above.ctx, ast.Store):
                if kind.name != "dict":
                    items.append(self._stored(above))
                    continue
                items.append(self.of(above.slice) if not isinstance(above.slice, ast.Slice) else None)
                values.append(self._stored(above))
            elif use in ("alias", "change") and not _shrinks(self.module, each):
                return Kind(kind.name, sure=kind.sure)
            elif use == "grow" and isinstance(above, ast.Attribute):
                call = self.module.parent(above)
                given = call.args[-1] if isinstance(call, ast.Call) and call.args else None
                one = self.of(given) if given else None
                items.append(iterated(one) if above.attr in ("extend", "extendleft") else one)
        item = items[0] if items and all(each == items[0] for each in items) else None
        value = values[0] if values and all(each == values[0] for each in values) else None
        return Kind(kind.name, item, value if kind.name == "dict" else kind.value, sure=kind.sure)

    def _stored(self, target: ast.Subscript) -> Kind | None:
        above = self.module.parent(target)
        if isinstance(above, ast.Assign) and target in above.targets and not isinstance(target.slice, ast.Slice):
            return self.of(above.value)
        if isinstance(above, ast.AugAssign):
            return operation(None, above.op, self.of(above.value))
        return None

    @staticmethod
    def _looser(kinds: list[Kind | None]) -> Kind | None:
        """Lists of different things are still lists: `[]` first, something in it later."""
        known = [kind for kind in kinds if kind is not None]
        if len(known) < len(kinds) or any(kind.name != known[0].name for kind in known):
            return None
        return Kind(known[0].name)

    def _bound(self, binding: Binding, name: str) -> Kind | None:
        by, node = binding.by, binding.node
        if isinstance(node, ast.arg) and isinstance(by, ast.arguments):
            return self._argument(node, by)
        match by:
            case ast.Assign(value=value):
                for target in by.targets:
                    if found := self._target(target, node, self.of(value)):
                        return found[0]
            case ast.NamedExpr(value=value):
                return self.of(value)
            case ast.AnnAssign(annotation=annotation):
                return annotated(annotation)
            case ast.AugAssign(op=op, value=value) if isinstance(node, ast.Name):
                own = self._guesses.get((binding.scope.lookup(name) or binding.scope, name))
                if own and own.name in ("list", "set", "dict"):
                    return own if iterated(self.of(value)) == own.item else Kind(own.name)
                return operation(own, op, self.of(value))
            case ast.For() | ast.comprehension():
                if found := self._target(by.target, node, iterated(self.of(by.iter))):
                    return found[0]
            case ast.withitem(context_expr=context):
                kind = self.of(context)
                return kind if kind and kind.name == "file" and by.optional_vars is node else None
        return None

    def _argument(self, node: ast.arg, arguments: ast.arguments) -> Kind | None:
        if node is arguments.vararg:
            return Kind("tuple", annotated(node.annotation))
        if node is arguments.kwarg:
            return Kind("dict", STR)
        kind = annotated(node.annotation)
        plain = [*arguments.posonlyargs, *arguments.args]
        defaults = dict(zip([each.arg for each in reversed(plain)], reversed(arguments.defaults), strict=False))
        defaults |= {
            each.arg: value for each, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value
        }
        default = defaults.get(node.arg)
        if (
            isinstance(default, ast.Constant)
            and default.value is None
            and kind
            and kind.name not in ("optional", "none")
        ):
            return Kind("optional", kind, sure=False)
        return kind

    def _target(self, target: ast.expr, node: ast.AST, kind: Kind | None) -> tuple[Kind | None] | None:
        """The kind `node` gets when a value of `kind` is assigned to `target`; None when it is not within."""
        if target is node:
            return (kind,)
        if isinstance(target, ast.Starred):
            item = kind.item if kind else None
            return self._target(target.value, node, Kind("list", item))
        if isinstance(target, ast.Tuple | ast.List):
            for i, part in enumerate(target.elts):
                one = iterated(kind)
                if kind and kind.items is not None and len(kind.items) == len(target.elts):
                    one = kind.items[i]
                if isinstance(part, ast.Starred):
                    one = kind
                if found := self._target(part, node, one):
                    return found
        return None


def _is_annotated(binding: Binding) -> bool:
    return isinstance(binding.by, ast.AnnAssign) or (
        isinstance(binding.node, ast.arg) and bool(binding.node.annotation)
    )


def _shrinks(module: ParsedModule, name: ast.Name) -> bool:
    above = module.parent(name)
    return isinstance(above, ast.Attribute) and above.attr in (
        "sort",
        "reverse",
        "pop",
        "remove",
        "clear",
        "discard",
        "popleft",
    )
