"""What operators, builtins, functions of the standard library and methods give, as kinds."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.kinds import BYTES, FLOAT, INT, STR, STR_RESULTS, Kind, annotated, iterated
from agents.code.transformations.analysis.parsed import Function, ParsedModule

__all__ = ["Results", "common", "operation"]

_BOOL = Kind("bool")
_MAPPINGS = ("dict", "counter", "defaultdict", "mapping", "optional")
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


def common(kinds: list[Kind | None]) -> Kind | None:
    """The kind all of them are; not sure when one of them is not."""
    if not kinds or any(kind is None or kind != kinds[0] for kind in kinds):
        return None
    return next((kind for kind in kinds if kind and not kind.sure), kinds[0])


def operation(left: Kind | None, op: ast.operator, right: Kind | None) -> Kind | None:
    """What a binary operation gives, if it does not fail."""
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
    if left.name == right.name and left.name in ("set", "dict") and isinstance(op, ast.BitOr | ast.BitAnd | ast.Sub):
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


class Results:
    """What calls give in a module; `of` tells the kinds of their parts."""

    def __init__(self, module: ParsedModule, of: Callable[[ast.expr], Kind | None]) -> None:
        self.module = module
        self.names = module.names
        self.of = of

    def call(self, node: ast.Call) -> Kind | None:
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
                given = self.of(node.args[0]) if node.args else None
                mapped = bool(node.keywords) or (given is not None and given.name in _MAPPINGS)
                sure = given is not None or not node.args
                return Kind("counter", iterated(given), None if mapped else Kind("int", sure=sure))
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
                return Kind("dict", first.item, first.value, sure=sure)
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
            if len(node.args) != 1 or node.keywords:
                return None
            return item if item and item.name == "int" else INT if item == _BOOL else None
        if name in ("min", "max") and any(each.arg == "default" for each in node.keywords):
            return None
        if name in ("min", "max"):
            return item if len(node.args) == 1 else common([self.of(each) for each in node.args])
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


def _yields(function: Function) -> bool:
    todo: list[ast.AST] = [*function.body]
    while todo:
        each = todo.pop()
        if isinstance(each, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(each, (*Function.__args__, ast.Lambda, ast.ClassDef)):
            todo += ast.iter_child_nodes(each)
    return False
