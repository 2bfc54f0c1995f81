"""The kind of an expression, from literals, builtins, methods and annotations; None when unknown."""

from __future__ import annotations

import ast
import re

from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.kinds import BYTES, FLOAT, INT, STR, STR_RESULTS, Kind, annotated
from agents.code.transformations.analysis.parsed import Function, ParsedModule
from agents.code.transformations.analysis.scopes import Binding, Scope
from agents.code.transformations.analysis.uses import use_of

__all__ = ["iterated", "kind_of"]

_DEPTH = 14
_BOOL = Kind("bool")
_GROWING_KINDS = frozenset({"list", "set", "dict", "deque"})
_CONSTANTS: dict[type, str] = {
    str: "str", bytes: "bytes", bool: "bool", int: "int", float: "float", complex: "complex", type(None): "none"
}  # fmt: skip
_CALLS: dict[str, Kind] = {
    **dict.fromkeys(["len", "ord", "int", "hash", "id"], INT),
    **dict.fromkeys(["str", "chr", "repr", "hex", "bin", "oct", "ascii", "format", "input"], STR),
    **dict.fromkeys(["bool", "any", "all", "isinstance", "issubclass", "callable", "hasattr"], _BOOL),
    "float": FLOAT,
    "bytes": BYTES,
    "range": Kind("range", INT),
    "re.compile": Kind("pattern"),
    "re.sub": STR,
    "collections.defaultdict": Kind("defaultdict"),
    **dict.fromkeys(["math.sqrt", "math.log", "math.exp", "time.time", "time.perf_counter"], FLOAT),
    **{f"math.{name}": FLOAT for name in ("log2", "log10", "sin", "cos", "tan", "hypot", "fsum")},
    **dict.fromkeys(["math.floor", "math.ceil", "math.gcd", "math.comb", "math.factorial", "math.isqrt"], INT),
}
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


def iterated(kind: Kind | None) -> Kind | None:
    """What iterating over a value of this kind gives."""
    if kind is None:
        return None
    if kind.name == "str":
        return Kind("str", sure=kind.sure)
    if kind.name == "bytes":
        return Kind("int", sure=kind.sure)
    if kind.name == "file":
        return STR
    if kind.name in ("optional", "opaque", "match"):
        return None
    return kind.item


class _Inference:
    def __init__(self, module: ParsedModule) -> None:
        self.module = module
        self.names = module.names
        self._memory: dict[tuple[Scope, str], Kind | None] = module.memory.setdefault("kinds", {})
        self._guesses: dict[tuple[Scope, str], Kind | None] = {}
        self._depth = 0

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
                return self._operation(self.of(node.left), node.op, self.of(node.right))
            case ast.Subscript():
                return self._subscript(node)
            case ast.Call():
                return self._call(node)
            case ast.NamedExpr(value=value):
                return self.of(value)
            case ast.Attribute():
                return STR if dotted(self.module, node) in _TEXT_CONSTANTS else None
        return None

    def _plain(self, node: ast.expr) -> bool:
        kind = self.of(node)
        return kind is not None and kind.name in ("str", "int", "float", "bool", "bytes", "none")

    def _common(self, nodes: list[ast.expr]) -> Kind | None:
        kinds = [self.of(each) for each in nodes]
        if not kinds or any(kind is None or kind != kinds[0] for kind in kinds):
            return None
        return next((kind for kind in kinds if kind and not kind.sure), kinds[0])

    def _operation(self, left: Kind | None, op: ast.operator, right: Kind | None) -> Kind | None:
        names = {kind.name for kind in (left, right) if kind}
        sure = all(kind.sure for kind in (left, right) if kind)
        if isinstance(op, ast.Mod) and left and left.name == "str":
            return left
        if isinstance(op, ast.Add) and "str" in names and (left is None or right is None or names == {"str"}):
            return Kind("str", sure=sure)  # the other side is text too, or the sum fails
        if left is None or right is None:
            return None
        if isinstance(op, ast.Mult) and names == {"str", "int"}:
            return Kind("str", sure=sure)
        if isinstance(op, ast.Add | ast.Mult) and left.name == "list" and right.name in ("list", "int"):
            return Kind("list", left.item if right.name == "int" or left.item == right.item else None, sure=sure)
        if (
            left.name == right.name
            and left.name in ("set", "dict")
            and isinstance(op, ast.BitOr | ast.BitAnd | ast.Sub)
        ):
            return left if left == right else Kind(left.name, sure=sure)
        if names <= {"int", "bool"} and isinstance(op, ast.Add | ast.Sub | ast.Mult | ast.FloorDiv | ast.Mod):
            return Kind("int", sure=sure)
        if names <= {"int", "bool"} and isinstance(op, ast.BitAnd | ast.BitOr | ast.BitXor | ast.LShift | ast.RShift):
            return Kind("int", sure=sure) if "int" in names else None
        if names <= {"int", "float", "bool"} and isinstance(op, ast.Div):
            return Kind("float", sure=sure)
        if names <= {"int", "float"} and isinstance(op, ast.Add | ast.Sub | ast.Mult):
            return Kind("float", sure=sure)
        return None

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

    # ------------------------------------------------------------------ calls
    def _call(self, node: ast.Call) -> Kind | None:
        func = node.func
        if self.names.is_builtin(func) and isinstance(func, ast.Name):
            return self._builtin(func.id, node)
        if name := dotted(self.module, func):
            if name in ("re.findall",):
                return self._found(node.args[:1])
            if name == "re.sub":
                return STR if node.args and self._is(node.args[-1], "str") else None
            if name == "re.split":
                return Kind("list")
            if name == "collections.Counter":
                item = iterated(self.of(node.args[0])) if node.args else None
                return Kind("counter", item, INT)
            if name == "collections.deque":
                return Kind("deque", iterated(self.of(node.args[0])) if node.args else None)
            return _CALLS.get(name)
        if isinstance(func, ast.Attribute):
            return self._method(func, node)
        if isinstance(func, ast.Name):
            bound = self.names.bindings(func)
            if len(bound) == 1 and isinstance(bound[0].node, ast.FunctionDef) and not bound[0].node.decorator_list:
                return annotated(bound[0].node.returns) if not _yields(bound[0].node) else None
        return None

    def _is(self, node: ast.expr, name: str) -> bool:
        kind = self.of(node)
        return kind is not None and kind.name == name

    def _found(self, pattern: list[ast.expr]) -> Kind:
        """`findall` gives texts when the pattern has one group or none."""
        text = pattern[0] if pattern else None
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            try:
                if re.compile(text.value).groups <= 1:
                    return Kind("list", STR)
            except (re.error, RecursionError, OverflowError):
                pass
        return Kind("list")

    def _builtin(self, name: str, node: ast.Call) -> Kind | None:
        first = self.of(node.args[0]) if node.args and not isinstance(node.args[0], ast.Starred) else None
        item = iterated(first)
        sure = first is None or first.sure
        if name in ("list", "sorted"):
            return Kind("list", item, sure=sure)
        if name in ("set", "frozenset", "tuple"):
            return Kind(name, item, sure=sure)
        if name == "dict":
            if node.keywords or not node.args:
                return Kind("dict")
            if first and first.name in ("dict", "counter"):
                return Kind("dict", first.item, first.value)
            return Kind("dict", *item.items) if item and item.items and len(item.items) == 2 else Kind("dict")
        if name == "enumerate":
            return Kind("iterator", Kind("tuple", items=(INT, item)))
        if name == "zip":
            if any(isinstance(each, ast.Starred) for each in node.args):
                return Kind("iterator")
            return Kind("iterator", Kind("tuple", items=tuple(iterated(self.of(each)) for each in node.args)))
        if name in ("reversed", "iter", "filter"):
            source = self.of(node.args[-1]) if node.args else None
            return Kind("iterator", iterated(source))
        if name == "map":
            return Kind("iterator")
        if name == "sum":
            return item if item and item.name == "int" and len(node.args) == 1 else INT if item == _BOOL else None
        if name in ("min", "max"):
            return item if len(node.args) == 1 else self._common(node.args)
        if name == "abs":
            return first if first and first.name in ("int", "float") else None
        if name == "round":
            return INT if len(node.args) == 1 and first and first.name in ("int", "float") else first
        if name == "open":
            modes = [*node.args[1:2], *(each.value for each in node.keywords if each.arg == "mode")]
            text = all(isinstance(mode, ast.Constant) and "b" not in str(mode.value) for mode in modes)
            return Kind("file", STR) if text else None
        return _CALLS.get(name)

    def _method(self, func: ast.Attribute, node: ast.Call) -> Kind | None:
        owner, name = self.of(func.value), func.attr
        if owner is None:
            text = func.value
            return STR if isinstance(text, ast.Constant) and isinstance(text.value, str) else None
        if owner.name == "str":
            found = STR_RESULTS.get(name)
            return found and Kind(found.name, found.item, items=found.items, sure=owner.sure)
        if owner.name == "bytes" and name in ("lower", "upper", "strip", "replace"):
            return owner
        if owner.name == "bytes" and name == "decode":
            return Kind("str", sure=owner.sure)
        if owner.name == "pattern" and name == "findall":
            return self._pattern_found(func.value)
        if owner.name in ("pattern",) and name == "sub":
            return STR if node.args and self._is(node.args[-1], "str") else None
        if owner.name == "file":
            return STR if name in ("read", "readline") else Kind("list", STR) if name == "readlines" else None
        if name in ("index", "count") and owner.name in ("list", "tuple"):
            return INT
        if name == "copy":
            return owner
        if name in ("keys", "values", "items") and owner.name in ("dict", "counter", "defaultdict", "mapping"):
            pair = Kind("tuple", items=(owner.item, owner.value))
            return Kind("view", {"keys": owner.item, "values": owner.value, "items": pair}[name], sure=owner.sure)
        if name == "most_common":
            return Kind("list", Kind("tuple", items=(owner.item, INT)))
        if name == "pop" and owner.name in ("list", "deque"):
            return owner.item
        if name == "get" and owner.name in ("dict", "counter", "mapping") and len(node.args) == 2:
            return owner.value if owner.value == self.of(node.args[1]) else None
        return None

    def _pattern_found(self, pattern: ast.expr) -> Kind:
        bound = self.names.bindings(pattern) if isinstance(pattern, ast.Name) else []
        if len(bound) == 1 and isinstance(bound[0].by, ast.Assign) and isinstance(bound[0].by.value, ast.Call):
            return self._found(bound[0].by.value.args[:1])
        return Kind("list")

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
            return self._operation(None, above.op, self.of(above.value))
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
                return self._operation(own, op, self.of(value))
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


def _yields(function: Function) -> bool:
    todo: list[ast.AST] = [*function.body]
    while todo:
        each = todo.pop()
        if isinstance(each, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(each, (*Function.__args__, ast.Lambda, ast.ClassDef)):
            todo += ast.iter_child_nodes(each)
    return False
