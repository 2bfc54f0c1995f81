"""Kinds (type names) that an expression can have, as far as syntax proves them; `?` where it does not."""

from __future__ import annotations

import ast

__all__ = ["UNKNOWN", "KindInference", "annotation_kinds", "dotted"]

UNKNOWN = "?"

_CALLS = {
    "bool": "bool", "isinstance": "bool", "issubclass": "bool", "callable": "bool", "hasattr": "bool", "all": "bool",
    "any": "bool", "len": "int", "int": "int", "ord": "int", "hash": "int", "id": "int", "float": "float",
    "str": "str", "repr": "str", "chr": "str", "format": "str", "ascii": "str", "hex": "str", "bytes": "bytes",
    "bytearray": "bytearray", "list": "list", "sorted": "list", "tuple": "tuple", "dict": "dict", "set": "set",
    "frozenset": "frozenset", "iter": "iterator", "map": "iterator", "filter": "iterator", "zip": "iterator",
    "reversed": "iterator", "enumerate": "iterator", "range": "range", "complex": "complex", "slice": "slice",
    "os.path.join": "str", "os.path.exists": "bool", "os.path.isfile": "bool", "os.path.isdir": "bool",
    "time.time": "float", "collections.OrderedDict": "dict", "OrderedDict": "dict", "defaultdict": "dict",
    "collections.defaultdict": "dict", "functools.partial": "callable", "partial": "callable", "deque": "deque",
}  # fmt: skip
_STR_METHODS = frozenset(
    [
        "format", "join", "strip", "lstrip", "rstrip", "lower", "upper", "title", "capitalize", "replace", "decode",
        "hexdigest", "strftime", "isoformat"
    ]
)  # fmt: skip
_BOOL_METHODS = frozenset(["startswith", "endswith", "isdigit", "isalpha", "issubset", "issuperset", "isdisjoint"])
_LIST_METHODS = frozenset(["split", "rsplit", "splitlines", "readlines", "tolist", "findall"])
_ALIASES = {
    "List": "list", "Dict": "dict", "Tuple": "tuple", "Set": "set", "FrozenSet": "frozenset", "Text": "str",
    "Mapping": "mapping", "MutableMapping": "mapping", "Callable": "callable", "Iterator": "iterator",
    "Generator": "generator", "Iterable": "iterable", "Sequence": "sequence", "AsyncIterator": "iterator",
    "AsyncGenerator": "generator", "NoReturn": "never", "Never": "never", "LiteralString": "str", "TypeGuard": "bool",
    "TypeIs": "bool",
}  # fmt: skip
_OPAQUE = frozenset({"Any", "object", "Self", "T", "Final", "ClassVar", "Annotated", "ReturnType"})


def dotted(node: ast.AST | None) -> str:
    """`a.b.c` for a chain of names; an inner call or subscript in the chain is dropped (`f(x).g` → `f.g`)."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else node.attr
    if isinstance(node, ast.Call):
        return dotted(node.func)
    if isinstance(node, ast.Subscript):
        return dotted(node.value)
    return ""


class KindInference:
    """Kinds of the expressions of one function, local variables followed when every assignment to them is known."""

    def __init__(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._assigned: dict[str, list[ast.expr | None]] = {}
        self._caught: dict[str, tuple[str, ...]] = {}
        self._known: dict[str, set[str]] = {}
        self._functions: set[str] = set()
        self._classes: set[str] = set()
        self._collect(function.body)
        arguments = function.args
        for arg in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            self._assigned.setdefault(arg.arg, []).append(None)
        if arguments.vararg:
            self._assigned.setdefault(arguments.vararg.arg, []).append(ast.Tuple(elts=[], ctx=ast.Load()))
        if arguments.kwarg:
            self._assigned.setdefault(arguments.kwarg.arg, []).append(ast.Dict(keys=[], values=[]))

    def caught_as(self, name: str) -> tuple[str, ...]:
        """Exceptions that `except … as name` binds to `name`."""
        return self._caught.get(name, ())

    def of(self, node: ast.expr, depth: int = 0) -> tuple[str, ...]:
        """Sorted kinds of an expression, `("?",)` when nothing is known."""
        return tuple(sorted(self._of(node, depth)))

    def _of(self, node: ast.expr, depth: int) -> set[str]:
        if depth > 6:
            return {UNKNOWN}
        if isinstance(node, ast.Constant):
            return {"None" if node.value is None else "ellipsis" if node.value is ... else type(node.value).__name__}
        for kind, types in _LITERALS:
            if isinstance(node, types):
                return {kind}
        if isinstance(node, ast.Compare):
            return {"bool"} if all(isinstance(op, ast.Is | ast.IsNot | ast.In | ast.NotIn) for op in node.ops) else {
                "bool", "array?"}  # fmt: skip
        if isinstance(node, ast.UnaryOp):
            return {"bool"} if isinstance(node.op, ast.Not) else self._of(node.operand, depth + 1)
        if isinstance(node, ast.IfExp):
            return self._of(node.body, depth + 1) | self._of(node.orelse, depth + 1)
        if isinstance(node, ast.BoolOp):
            return set().union(*(self._of(value, depth + 1) for value in node.values))
        if isinstance(node, ast.NamedExpr | ast.Await):
            return self._of(node.value, depth + 1) if isinstance(node, ast.NamedExpr) else {UNKNOWN}
        if isinstance(node, ast.BinOp):
            left = self._of(node.left, depth + 1)
            if isinstance(node.op, ast.Mod) and left & {"str", "bytes"}:
                return left
            return left if left == self._of(node.right, depth + 1) and UNKNOWN not in left else {UNKNOWN}
        if isinstance(node, ast.Call):
            return self._call(node, depth)
        if isinstance(node, ast.Name):
            return self._name(node.id, depth)
        return {UNKNOWN}

    def _call(self, node: ast.Call, depth: int) -> set[str]:
        name = dotted(node.func)
        if name in _CALLS and isinstance(node.func, ast.Name | ast.Attribute):
            return {_CALLS[name]}
        if isinstance(node.func, ast.Attribute):
            receiver = self._of(node.func.value, depth + 2)
            method = node.func.attr
            if receiver <= {"str", "bytes"} or method in ("format", "hexdigest", "strftime", "isoformat"):
                if method in _STR_METHODS:
                    return {"bytes"} if receiver == {"bytes"} else {"str"}
                if method in _LIST_METHODS:
                    return {"list"}
            if method in _BOOL_METHODS:
                return {"bool"}
        last = name.rsplit(".", 1)[-1]
        if last[:1].isupper() and not last.isupper() and isinstance(node.func, ast.Name | ast.Attribute):
            return {last}
        return {UNKNOWN}

    def _name(self, name: str, depth: int) -> set[str]:
        if name in ("self", "cls"):
            return {name}
        if name in self._functions:
            return {"callable"}
        if name in self._classes:
            return {"class"}
        if name not in self._assigned:
            return {UNKNOWN}
        if name in self._known:
            return self._known[name]
        if len(self._assigned[name]) > 12:
            return {UNKNOWN}
        self._known[name] = {UNKNOWN}  # what a variable that depends on itself sees
        kinds: set[str] = set()
        for value in self._assigned[name]:
            kinds |= {UNKNOWN} if value is None else self._of(value, depth + 1)
        self._known[name] = kinds
        return kinds

    def _collect(self, body: list[ast.stmt]) -> None:
        """Every binding of the function's own scope, without recursion (code may nest deeply)."""
        todo: list[ast.AST] = list(reversed(body))
        while todo:
            node = todo.pop()
            self._gather(node)
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
                todo.extend(reversed(list(ast.iter_child_nodes(node))))

    def _gather(self, node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self._functions.add(node.name)
        elif isinstance(node, ast.ClassDef):
            self._classes.add(node.name)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self._bind(node.target, node.value)
        elif isinstance(node, ast.AugAssign):
            self._bind(node.target, node.value if isinstance(node.value, ast.Constant) else None)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            self._bind(node.target, None)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._bind(node.optional_vars, None)
        elif isinstance(node, ast.NamedExpr):
            self._bind(node.target, node.value)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            types = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            self._caught[node.name] = tuple(filter(None, map(dotted, types)))
            self._assigned.setdefault(node.name, []).append(None)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                self._assigned.setdefault(alias.asname or alias.name, []).append(None)

    def _bind(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            self._assigned.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Tuple | ast.List):
            for element in target.elts:
                self._bind(element, None)
        elif isinstance(target, ast.Starred):
            self._bind(target.value, None)


_LITERALS: tuple[tuple[str, tuple[type[ast.expr], ...]], ...] = (
    ("str", (ast.JoinedStr,)),
    ("list", (ast.List, ast.ListComp)),
    ("dict", (ast.Dict, ast.DictComp)),
    ("set", (ast.Set, ast.SetComp)),
    ("tuple", (ast.Tuple,)),
    ("generator", (ast.GeneratorExp,)),
    ("callable", (ast.Lambda,)),
)


def annotation_kinds(annotation: str | None) -> tuple[str, ...]:
    """Kinds that an annotation allows, lower-case built-ins and last parts of class names; `("?",)` when open."""
    if not annotation:
        return (UNKNOWN,)
    try:
        tree = ast.parse(annotation.strip("'\""), mode="eval").body
    except (SyntaxError, ValueError):
        return (UNKNOWN,)
    return tuple(sorted(_annotation(tree)))


def _annotation(node: ast.expr) -> set[str]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _annotation(node.left) | _annotation(node.right)
    if isinstance(node, ast.Constant):
        if node.value is None:
            return {"None"}
        return set(annotation_kinds(node.value)) if isinstance(node.value, str) else {UNKNOWN}
    if isinstance(node, ast.Subscript):
        name = dotted(node.value).rsplit(".", 1)[-1]
        if name in ("Optional", "Union"):
            inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            kinds = set().union(*(_annotation(each) for each in inner))
            return kinds | {"None"} if name == "Optional" else kinds
        if name == "Literal":
            inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return {type(each.value).__name__ for each in inner if isinstance(each, ast.Constant)} or {UNKNOWN}
        if name in ("Awaitable", "Coroutine", "Final", "Annotated"):
            return {UNKNOWN}
        return _annotation(node.value)
    name = dotted(node).rsplit(".", 1)[-1]
    if not name or name in _OPAQUE or (len(name.strip("_")) <= 2 and name != "IO") or name.startswith(("T_", "_T")):
        return {UNKNOWN}
    return {_ALIASES.get(name, name)}
