"""Rules across parameters, such as `train_split + val_split == 1.0` or `min_lr < max_lr`.

A rule is one expression over parameter names: numbers, texts, lists, + - * / // % **, comparisons, `in`,
and / or / not, and the functions abs, min, max, len.  It is parsed once into Python's syntax tree and walked; nothing
is ever executed.  Equality of numbers is up to a relative 1e-9.  A rule that names a parameter which a configuration
does not have says nothing about it.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import ConfigError, nearest
from search.parameters import Float, Int
from search.space import Config, Space

__all__ = ["Rule", "broken", "parse_rules", "repair"]

MAX_LENGTH = 500
TOLERANCE = 1e-9
FUNCTIONS: dict[str, Callable[..., Any]] = {"abs": abs, "min": min, "max": max, "len": len}
ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: lambda a, b: float(a) ** float(b),  # never an integer of a million digits
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: lambda a, b: _equal(a, b),
    ast.NotEq: lambda a, b: not _equal(a, b),
    ast.Lt: operator.lt,
    ast.LtE: lambda a, b: a < b or _equal(a, b),
    ast.Gt: operator.gt,
    ast.GtE: lambda a, b: a > b or _equal(a, b),
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


@dataclass(frozen=True)
class Rule:
    """A parsed rule.  `contains` and `reason` make the configurations that break it a forbidden region."""

    text: str
    names: tuple[str, ...]
    tree: ast.expr = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str, known: Iterable[str]) -> Rule:
        """Raises ConfigError for what is no rule, and for names that are no parameters."""
        where, allowed = f"rule {text[:80]!r}", set(known)
        if len(text) > MAX_LENGTH:
            raise ConfigError(f"a rule has at most {MAX_LENGTH} characters, not {len(text)}", where="rules")
        try:
            tree = ast.parse(text.strip(), mode="eval").body
            names = _names(tree)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ConfigError(
                f"this is not a rule: {error}", where=where, hint="write one like train_split + val_split == 1.0"
            ) from error
        if not isinstance(tree, ast.Compare | ast.BoolOp) and not (
            isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not)
        ):
            raise ConfigError("a rule compares something", where=where, hint="write one like a + b == 1.0")
        for name in names:
            if name not in allowed:
                raise ConfigError(f"unknown parameter {name!r}", where=where, hint=nearest(name, allowed))
        return cls(text.strip(), tuple(names), tree)

    @property
    def reason(self) -> str:
        return f"the rule {self.text} is broken"

    @property
    def is_equation(self) -> bool:
        """Whether it holds on a surface only, which no draw ever meets: such a rule is solved, not waited for."""
        return isinstance(self.tree, ast.Compare) and any(isinstance(op, ast.Eq) for op in self.tree.ops)

    def holds(self, config: Mapping[str, Any]) -> bool:
        """Whether `config` keeps the rule; a rule that cannot be worked out (1 / 0, text + number) is broken."""
        if any(name not in config for name in self.names):
            return True
        try:
            return bool(_value(self.tree, config))
        except (ArithmeticError, TypeError, ValueError):
            return False

    def contains(self, config: Mapping[str, Any]) -> bool:
        return not self.holds(config)

    def gap(self, config: Mapping[str, Any]) -> float:
        """Left minus right of an equation between numbers; NaN where that has no meaning."""
        assert isinstance(self.tree, ast.Compare)
        try:
            left, right = _value(self.tree.left, config), _value(self.tree.comparators[0], config)
            return float(left) - float(right)
        except (ArithmeticError, TypeError, ValueError):
            return math.nan

    def __str__(self) -> str:
        return self.text


def parse_rules(texts: Iterable[str], known: Iterable[str]) -> tuple[Rule, ...]:
    """Raises ConfigError at the first that is none."""
    names = tuple(known)
    return tuple(Rule.parse(text, names) for text in texts)


def broken(config: Mapping[str, Any], rules: Iterable[Rule]) -> list[Rule]:
    """The rules that `config` does not keep."""
    return [rule for rule in rules if not rule.holds(config)]


def repair(config: Config, rules: Sequence[Rule], space: Space) -> Config:
    """`config` with broken equations solved, each for the last of its numbers for which that succeeds.

    Equations that are linear in that number are solved exactly; what cannot be solved inside the space stays as it is.
    """
    out = dict(config)
    for rule in rules:
        if rule.is_equation and not rule.holds(out):
            for name in reversed(rule.names):
                solved = _solved(out, rule, name, space)
                if solved is not None and rule.holds({**out, name: solved}):
                    out[name] = solved
                    break
    return out


def _solved(config: Config, rule: Rule, name: str, space: Space) -> float | int | None:
    """The value of `name` at which the equation holds, by its secant through the bounds."""
    parameter = space[name]
    if not isinstance(parameter, Float | Int) or name not in config:
        return None
    low, high = float(parameter.low), float(parameter.high)
    at_low, at_high = rule.gap({**config, name: low}), rule.gap({**config, name: high})
    if not (math.isfinite(at_low) and math.isfinite(at_high)) or at_low == at_high:
        return None
    value = low - at_low * (high - low) / (at_high - at_low)
    if not low - TOLERANCE <= value <= high + TOLERANCE:
        return None
    value = min(max(value, low), high)
    return round(value) if isinstance(parameter, Int) else value


def _equal(a: Any, b: Any) -> bool:
    if _is_number(a) and _is_number(b):
        return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(a == b)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _names(node: ast.AST) -> list[str]:
    """The names in order of appearance.  Raises ValueError at the first thing that is not of the language."""
    match node:
        case ast.Name(id=name):
            return [name]
        case ast.Constant(value=value) if isinstance(value, bool | int | float | str):
            return []
        case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
            inside = [left, right]
        case ast.UnaryOp(op=ast.UAdd() | ast.USub() | ast.Not(), operand=operand):
            inside = [operand]
        case ast.BoolOp(values=values):
            inside = list(values)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in COMPARISONS for op in ops):
            inside = [left, *others]
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            inside = list(elements)
        case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]) if function in FUNCTIONS:
            inside = list(arguments)
        case _:
            raise ValueError(f"{ast.unparse(node)!r} is not part of a rule")
    return list(dict.fromkeys(name for part in inside for name in _names(part)))


def _value(node: ast.AST, config: Mapping[str, Any]) -> Any:
    match node:
        case ast.Name(id=name):
            return config[name]
        case ast.Constant(value=value):
            return value
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _value(left, config), _value(right, config)
            if not (_is_number(a) and _is_number(b)):
                raise TypeError(f"{ast.unparse(node)} needs numbers")
            return ARITHMETIC[type(op)](a, b)
        case ast.UnaryOp(op=op, operand=operand):
            value = _value(operand, config)
            return not value if isinstance(op, ast.Not) else -value if isinstance(op, ast.USub) else +value
        case ast.BoolOp(op=op, values=values):
            told = (bool(_value(v, config)) for v in values)
            return all(told) if isinstance(op, ast.And) else any(told)
        case ast.Compare(left=left, ops=ops, comparators=others):
            at = _value(left, config)
            for comparison, other in zip(ops, others, strict=True):
                value = _value(other, config)
                if not COMPARISONS[type(comparison)](at, value):
                    return False
                at = value
            return True
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return [_value(e, config) for e in elements]
        case ast.Call(func=ast.Name(id=function), args=arguments):
            return FUNCTIONS[function](*(_value(a, config) for a in arguments))
        case _:  # pragma: no cover -- _names has refused it
            raise ValueError(ast.unparse(node))
