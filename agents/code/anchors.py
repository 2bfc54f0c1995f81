"""Replacing a definition by its name, where its quote is not found: the file's own syntax tree says where it stands.

The quote names one function or class, and the file has one of that name.  It is replaced when nothing of the file's
own code would be lost that the author has not seen: with S(x) the statements of x as a multiset of syntax trees,

    S(file) - S(quote) ⊆ S(new)    and    (S(quote) - S(file)) ∩ S(new) = ∅

or when the quote leaves the body out (`...`), which says that the definition is replaced whatever it holds.
"""

from __future__ import annotations

import ast
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from agents.code.lines import bare_lines, indent_of, joined
from agents.code.rewriting import DoesNotFitError
from agents.code.syntax import Defines, Definition, definitions, first_line, is_left_out, parse

__all__ = ["NoDefinitionError", "replace_definition"]

_STATEMENTS = (ast.stmt, ast.ExceptHandler, ast.match_case)


class NoDefinitionError(DoesNotFitError):
    """The quote or the new text is something else than one function or class."""


def replace_definition(
    before: Sequence[str], after: Sequence[str], lines: Sequence[str], *, overwrite: bool = False
) -> tuple[int, int, tuple[str, ...]]:
    """The stretch of `lines` that holds the definition, as (start, end), and what it becomes.

    With `overwrite` it is replaced also where its code differs from the quote.  Raises DoesNotFitError.
    """
    quoted, new = _Quote.read(before), _Quote.read(after)
    if quoted.qualname != new.qualname or type(quoted.node) is not type(new.node):
        raise DoesNotFitError(f"the new text does not define {quoted.qualname}")
    found = _only_one(quoted, lines)
    _check_nothing_is_lost(found.node, quoted, new, overwrite=overwrite)
    start = found.start
    if not quoted.node.decorator_list and not new.node.decorator_list:
        start = found.node.lineno - 1
    indent = indent_of(lines[found.node.lineno - 1])
    return start, found.end, tuple(f"{indent}{line}" if line.strip() else line for line in new.lines)


@dataclass(frozen=True)
class _Quote:
    """A text that is one definition; of a class that holds one method alone, that method."""

    qualname: str
    node: Defines
    lines: Sequence[str]

    @classmethod
    def read(cls, lines: Sequence[str]) -> _Quote:
        text = textwrap.dedent(joined(lines)).strip("\n")
        try:
            body = parse(text).body
        except SyntaxError:
            raise NoDefinitionError("the quote is not one whole definition") from None
        if len(body) != 1 or not isinstance(body[0], Defines):
            raise NoDefinitionError("the quote is not one whole definition")
        node, code = body[0], bare_lines(text)
        if isinstance(node, ast.ClassDef) and len(node.body) == 1 and isinstance(method := node.body[0], Defines):
            inner = textwrap.dedent(joined(code[first_line(method) : method.end_lineno]))
            return cls(f"{node.name}.{method.name}", method, bare_lines(inner))
        return cls(node.name, node, code)


def _only_one(quoted: _Quote, lines: Sequence[str]) -> Definition:
    try:
        known = definitions(joined(lines))
    except SyntaxError as error:
        raise DoesNotFitError(f"the file does not parse: {error.msg}") from None
    found = [
        each for each in known
        if f".{each.qualname}".endswith(f".{quoted.qualname}") and type(each.node) is type(quoted.node)
    ]  # fmt: skip
    if len(found) > 1:
        same = [each for each in found if _statements(each.node) == _statements(quoted.node)]
        found = same if len(same) == 1 else found
    if len(found) != 1:
        many = f"defines {quoted.qualname} {len(found)} times" if found else f"does not define {quoted.qualname}"
        raise DoesNotFitError(f"the quote is not in the file, and the file {many}")
    if indent_of(lines[found[0].start]) != lines[found[0].start][: found[0].node.col_offset]:
        raise DoesNotFitError(f"{quoted.qualname} does not begin its line")
    return found[0]


def _check_nothing_is_lost(real: Defines, quoted: _Quote, new: _Quote, *, overwrite: bool) -> None:
    with_decorators = bool(quoted.node.decorator_list or new.node.decorator_list)
    in_file, in_quote, in_new = (
        _statements(node, decorators=with_decorators) for node in (real, quoted.node, new.node)
    )  # fmt: skip
    if overwrite or is_left_out(quoted.node):
        return
    unseen, stale = in_file - in_quote - in_new, (in_quote - in_file) & in_new
    if unseen or stale:
        which = next(iter(unseen or stale))
        how = "has code in it that the quote does not show" if unseen else "lacks code that the quote shows"
        raise DoesNotFitError(f"{quoted.qualname} {how}: {which[1][:80]!r}")


def _statements(node: Defines, *, decorators: bool = True) -> Counter[tuple[str, str]]:
    """The statements of a definition, each with its own expressions but without the statements below it; no docstrings.

    Each is (syntax tree, source as Python would write it).
    """
    found: Counter[tuple[str, str]] = Counter()
    for each in ast.walk(node):
        if not isinstance(each, _STATEMENTS):
            continue
        if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) and isinstance(each.value.value, str):
            continue
        without = {"decorator_list"} if each is node and not decorators else set()
        own = [
            f"{name}={_dump(value)}"
            for name, value in ast.iter_fields(each)
            if name not in without and not _is_block(value)
        ]
        found[f"{type(each).__name__}({', '.join(own)})", _source(each)] += 1
    return found


def _is_block(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], _STATEMENTS)


def _dump(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_dump, value))}]"
    return ast.dump(value) if isinstance(value, ast.AST) else repr(value)


def _source(node: ast.AST) -> str:
    return ast.unparse(node).split("\n")[0]
