"""A Python module as text and syntax tree together: where each node stands, and what stands around it."""

from __future__ import annotations

import ast
import bisect
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from agents.code.transformations.analysis.scopes import Scope, ScopeTable
from core.errors import ConfigError

__all__ = ["Definition", "Function", "ParsedModule"]

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_NEWLINE = re.compile(r"\r\n|\r|\n")
_ATOMS = (
    ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Subscript, ast.List, ast.Dict, ast.Set, ast.ListComp,
    ast.SetComp,
    ast.DictComp
)  # fmt: skip


class ParsedModule:
    """`text` at `path`, parsed by the running Python. ConfigError when it does not parse."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.memory: dict[Any, Any] = {}
        """What the analyses found out before; each under a key of its own."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ConfigError(
                f"this is not Python: {error}", where=path, hint="mend the code first; nothing is changed"
            ) from error
        self._starts = [0, *(match.end() for match in _NEWLINE.finditer(text))]
        self._parents: dict[ast.AST, ast.AST] = {
            child: parent for parent in ast.walk(self.tree) for child in ast.iter_child_nodes(parent)
        }

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node, breadth first."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def names(self) -> ScopeTable:
        return ScopeTable(self.tree)

    @cached_property
    def newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    @cached_property
    def comments(self) -> tuple[tuple[int, str], ...]:
        """Offset and text of every comment."""
        try:
            return tuple(
                (self._starts[token.start[0] - 1] + token.start[1], token.string)
                for token in tokenize.generate_tokens(io.StringIO(self.text, newline="").readline)
                if token.type == tokenize.COMMENT
            )
        except (tokenize.TokenError, SyntaxError, IndexError):
            return tuple((at, "# unreadable") for at in self._starts)  # then nothing that may hold one is replaced

    # ------------------------------------------------------------------ place
    def offset(self, line: int, column: int) -> int:
        """The character at a line (from 1) and a column in bytes of UTF-8, as `ast` counts."""
        start = self._starts[line - 1]
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        row = self.text[start:end]
        return start + (column if row.isascii() else len(row.encode()[:column].decode()))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Start and end of a node in characters; a decorated definition starts at its first decorator."""
        place: Any = node
        first = min([place, *getattr(node, "decorator_list", [])], key=lambda each: (each.lineno, each.col_offset))
        start = self.offset(first.lineno, first.col_offset)
        if first is not place:
            start = self.text.rindex("@", 0, start)
        return start, self.offset(place.end_lineno, place.end_col_offset)

    def line_at(self, offset: int) -> tuple[int, int]:
        """Start and end of the line an offset is in, the newline left out."""
        row = bisect.bisect_right(self._starts, offset) - 1
        match = _NEWLINE.search(self.text, offset)
        return self._starts[row], match.start() if match else len(self.text)

    def segment(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.text[start:end]

    def atom(self, node: ast.expr) -> str:
        """The text of an expression, in parentheses unless it stands by itself anywhere."""
        text = self.segment(node)
        simple = isinstance(node, _ATOMS) or (isinstance(node, ast.GeneratorExp | ast.Tuple) and _in_parentheses(text))
        return text if simple and _stands_alone(text) else f"({text})"

    def operand(self, node: ast.expr) -> str:
        """The text of an expression as a part of a comprehension or call, in parentheses only where it needs them."""
        text = self.segment(node)
        plain = isinstance(node, ast.Compare | ast.BoolOp | ast.BinOp | ast.UnaryOp | ast.JoinedStr)
        return text if plain and _stands_alone(text) else self.atom(node)

    # ------------------------------------------------------------------ surroundings
    def parent(self, node: ast.AST) -> ast.AST | None:
        return self._parents.get(node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """From the parent outwards to the module."""
        above = self._parents.get(node)
        while above is not None:
            yield above
            above = self._parents.get(above)

    def statement(self, node: ast.AST) -> ast.stmt:
        """The statement a node stands in, or the node itself."""
        for each in (node, *self.ancestors(node)):
            if isinstance(each, ast.stmt):
                return each
        raise ValueError("the module itself stands in no statement")

    def function(self, node: ast.AST) -> Function | None:
        """The function whose body a node stands in; None at module or class level, and within a lambda."""
        for each in self.ancestors(node):
            if isinstance(each, Function):
                return each
            if isinstance(each, ast.ClassDef | ast.Lambda):
                return None
        return None

    def scope(self, node: ast.AST) -> Scope:
        """The scope in which a node is evaluated."""
        return self.names.scope_of[node]

    def block(self, statement: ast.stmt) -> list[ast.stmt]:
        """The list of statements that holds this one."""
        above = self._parents[statement]
        for _, value in ast.iter_fields(above):
            if isinstance(value, list) and any(each is statement for each in value):
                return value
        raise ValueError("a statement always stands in a block")

    def previous(self, statement: ast.stmt) -> ast.stmt | None:
        block = self.block(statement)
        at = next(i for i, each in enumerate(block) if each is statement)
        return block[at - 1] if at else None

    def following(self, statement: ast.stmt) -> ast.stmt | None:
        block = self.block(statement)
        at = next(i for i, each in enumerate(block) if each is statement)
        return block[at + 1] if at + 1 < len(block) else None

    def qualname(self, node: ast.AST) -> str:
        """Names of the definitions around a node, the node's own included; `module` at the top."""
        path = [each.name for each in (node, *self.ancestors(node)) if isinstance(each, Definition)]
        return ".".join(reversed(path)) or "module"


def _stands_alone(text: str) -> bool:
    """Whether an expression may be put on a line without brackets around it."""
    if "\n" not in text and "\r" not in text:
        return True
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def _in_parentheses(text: str) -> bool:
    """Whether the first and the last character of a tuple or generator belong together."""
    if not (text.startswith("(") and text.endswith(")")):
        return False
    try:
        return text == "()" or isinstance(ast.parse(f"f{text}", mode="eval").body, ast.Call)
    except SyntaxError:
        return False
