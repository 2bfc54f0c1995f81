"""What Python's own parser says of a text: whether it parses, whether two texts are the same code, what it defines."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = [
    "Defines",
    "Definition",
    "code_tokens",
    "definitions",
    "first_line",
    "is_left_out",
    "is_python",
    "parse",
    "same_code",
    "syntax_fault",
]

Defines = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Definition:
    """A function or class by its dotted name; `lines[start:end]` holds it with its decorators, counted from 0."""

    qualname: str
    node: Defines
    start: int
    end: int


def is_python(path: str) -> bool:
    return path.endswith((".py", ".pyi"))


def parse(text: str) -> ast.Module:
    """The syntax tree.  Raises SyntaxError, whatever the parser stumbles over, also where it is nested too deeply."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.removeprefix("\ufeff"))
    except (RecursionError, MemoryError):
        raise SyntaxError("it is nested too deeply") from None
    except ValueError as error:  # a NUL, or half of a surrogate pair
        raise SyntaxError(str(error)) from None


def syntax_fault(path: str, text: str) -> str:
    """Why the file does not parse, with the line; empty when it does, or when it is not Python."""
    if not is_python(path):
        return ""
    try:
        parse(text)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}" if error.lineno else str(error.msg)
    return ""


def same_code(path: str, before: str, after: str) -> bool:
    """Whether two texts differ in nothing that runs: for Python equal syntax trees, otherwise equal texts."""
    if before == after or not is_python(path):
        return before == after
    try:
        return ast.dump(parse(before)) == ast.dump(parse(after))
    except (SyntaxError, RecursionError):
        return False


def definitions(text: str) -> list[Definition]:
    """Every function and class that is not inside a function, in order.  Raises SyntaxError.

    A text with a lone carriage return has none: the parser takes that for the end of a line, and we do not.
    """
    if "\r" in text.replace("\r\n", "\n"):
        return []
    return list(_defined(parse(text).body, ""))


def first_line(node: ast.stmt) -> int:
    """The line on which a statement begins, with its decorators, counted from 0."""
    decorators = node.decorator_list if isinstance(node, Defines) else []
    return min([node.lineno, *(each.lineno for each in decorators)]) - 1


def is_left_out(node: Defines) -> bool:
    """Whether a function has no body but `...`, beside a docstring."""
    values = [
        each.value.value for each in node.body if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)
    ]
    return (
        not isinstance(node, ast.ClassDef)
        and len(values) == len(node.body)
        and ... in values
        and all(isinstance(value, str) or value is ... for value in values)
    )


def code_tokens(text: str) -> list[str] | None:
    """The tokens of a line or fragment without comments and layout, strings by their value; None if there are none."""
    tokens: list[str] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.STRING:
                tokens.append(_string_value(token.string))
            elif token.type not in _LAYOUT and token.string:
                tokens.append(token.string)
    except (tokenize.TokenError, IndentationError, SyntaxError):
        # a fragment may end within brackets; what was read up to there is what it holds
        if not tokens:
            return None
    return tokens


_LAYOUT = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
)


def _string_value(literal: str) -> str:
    try:
        return repr(ast.literal_eval(literal))
    except (SyntaxError, ValueError):
        return literal


def _defined(body: list[ast.stmt], prefix: str) -> Iterator[Definition]:
    for node in body:
        if isinstance(node, Defines):
            qualname = f"{prefix}{node.name}"
            yield Definition(qualname, node, first_line(node), node.end_lineno or node.lineno)
            if isinstance(node, ast.ClassDef):
                yield from _defined(node.body, f"{qualname}.")
        elif isinstance(node, ast.If | ast.Try | ast.With):
            for inner in ast.iter_child_nodes(node):
                if isinstance(inner, ast.stmt):
                    yield from _defined([inner], prefix)
                elif isinstance(inner, ast.ExceptHandler):
                    yield from _defined(inner.body, prefix)
