"""Records of facts: what the syntax of a file proves. Lines are 1-based, counted in the analysed text."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = [
    "Assertion",
    "Attribute",
    "Block",
    "Call",
    "CaughtException",
    "ClassFacts",
    "Effect",
    "FunctionFacts",
    "Guard",
    "ModuleFacts",
    "Param",
    "RaisedException",
    "ReturnedValue",
    "Todo",
    "Unparsed",
]


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Param(_Fact):
    """A parameter; `name` without stars, `default` as source text (None: required)."""

    name: str
    kind: Literal["positional_only", "positional", "keyword_only", "var_positional", "var_keyword"]
    annotation: str | None = None
    default: str | None = None
    line: int


class ReturnedValue(_Fact):
    """A `return`; `kinds` are the type names that the expression can have, `?` when the syntax does not say."""

    line: int
    text: str
    kinds: tuple[str, ...]


class RaisedException(_Fact):
    """An exception that leaves the function by its own `raise`; `condition` is the nearest `if` around it."""

    exception: str
    line: int
    message: str | None = None
    condition: str | None = None
    reraised: bool = False


class CaughtException(_Fact):
    exceptions: tuple[str, ...]
    line: int
    action: Literal["raise", "return", "continue", "pass", "other"]


class Call(_Fact):
    name: str
    line: int


class Attribute(_Fact):
    """A write to `target`, such as `self.size`."""

    target: str
    line: int


class Effect(_Fact):
    """Something that outlives the call: an attribute, an argument or a global changed, or I/O.

    `certain` is False where the name of a call suggests the effect and only its callee could prove it.
    """

    kind: Literal["attribute", "argument", "global", "io", "environment"]
    what: str
    line: int
    certain: bool = True


class Guard(_Fact):
    """An early exit near the top: `condition`, then `action` (`raise ValueError`, `return None` …)."""

    condition: str
    action: str
    line: int


class Assertion(_Fact):
    condition: str
    line: int


class Block(_Fact):
    """The deepest nest of control flow: `depth` levels at `line`."""

    depth: int
    line: int


class Todo(_Fact):
    tag: str
    text: str
    line: int


class FunctionFacts(_Fact):
    """A function or method. `line` is that of `def`, `end_line` the last one of its body."""

    name: str
    qualname: str
    kind: Literal["function", "method", "classmethod", "staticmethod", "property", "nested"]
    line: int
    end_line: int
    is_async: bool = False
    decorators: tuple[str, ...] = ()
    params: tuple[Param, ...] = ()
    returns_annotation: str | None = None
    returned: tuple[ReturnedValue, ...] = ()
    falls_through: bool = True
    """Whether control could reach the end of the body, True when in doubt."""
    reaches_end: bool = True
    """Whether it does on some path for all that the syntax shows, False when in doubt."""
    yields: tuple[int, ...] = ()
    raised: tuple[RaisedException, ...] = ()
    caught: tuple[CaughtException, ...] = ()
    calls: tuple[Call, ...] = ()
    writes: tuple[Attribute, ...] = ()
    effects: tuple[Effect, ...] = ()
    guards: tuple[Guard, ...] = ()
    assertions: tuple[Assertion, ...] = ()
    complexity: int = 1
    deepest: Block | None = None
    loops: tuple[int, ...] = ()
    todos: tuple[Todo, ...] = ()
    untyped: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    strings: tuple[str, ...] = ()
    docstring: str | None = None
    docstring_line: int | None = None
    docstring_end_line: int | None = None
    docstring_text_line: int | None = None
    """Line on which the words of the docstring begin, below the quotes when the first line is blank."""
    class_name: str | None = None
    bases: tuple[str, ...] = ()
    siblings: tuple[str, ...] = ()
    is_abstract: bool = False
    subscripts: bool = False

    @property
    def length_lines(self) -> int:
        return self.end_line - self.line + 1

    @property
    def visible_params(self) -> tuple[Param, ...]:
        """Parameters that a caller gives: without `self` and `cls`."""
        skip = self.kind in ("method", "property", "classmethod") or (
            self.params[:1] and self.params[0].name in ("self", "cls") and self.params[0].annotation is None
        )
        return self.params[1:] if skip else self.params

    @property
    def is_generator(self) -> bool:
        return bool(self.yields)

    @property
    def returns_value(self) -> bool:
        """Whether some `return` hands back an expression that is not the literal None."""
        return any(value.kinds != ("None",) for value in self.returned)


class ClassFacts(_Fact):
    """A class. `attributes` are those that its body or its methods write, in order of first writing."""

    name: str
    qualname: str
    line: int
    end_line: int
    bases: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    methods: tuple[str, ...] = ()
    docstring: str | None = None
    docstring_line: int | None = None


class Unparsed(_Fact):
    """Lines that do not parse, hence have no facts."""

    line: int
    end_line: int
    reason: str


class ModuleFacts(_Fact):
    """A file. `unparsed` is not empty when the facts are partial."""

    line_count: int
    docstring: str | None = None
    imports: tuple[str, ...] = ()
    constants: tuple[Attribute, ...] = ()
    functions: tuple[FunctionFacts, ...] = ()
    classes: tuple[ClassFacts, ...] = ()
    todos: tuple[Todo, ...] = ()
    exports: tuple[str, ...] = ()
    has_main: bool = False
    unparsed: tuple[Unparsed, ...] = ()
