"""Writing comments into a file as `#` comments, only if its syntax tree stays identical.

Comments go in, docstrings do not: a docstring changes the tree and what the program can see of itself. The text around
is kept byte for byte by libcst, and nothing is returned unless `ast.dump` before and after is the same.
"""

from __future__ import annotations

import ast
import difflib
import textwrap
from collections.abc import Iterable

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from agents.feedback.records import CodeComments, ScopeSummary
from core.errors import ConfigError

__all__ = ["MARK", "insert_comments", "unified_diff"]

MARK = "# »"
"""Begins every written comment line, so that a second writing replaces the first."""
WIDTH = 100
_TOPICS = frozenset({"purpose", "returns", "raises", "effects", "invariants", "complexity", "types", "todo", "defect"})


def insert_comments(code: str, comments: CodeComments) -> str:
    """`code` with the comments of its classes and functions above them, earlier written ones replaced.

    Statements taken from the docstring are left out: they stand there already. ConfigError when the code does not
    parse, or when the tree would change.
    """
    try:
        before = ast.dump(ast.parse(code))
        module = MetadataWrapper(cst.parse_module(code), unsafe_skip_copy=True)
    except (SyntaxError, ValueError, RecursionError, cst.ParserSyntaxError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise ConfigError(
            f"comments are not written into code that does not parse: {why}",
            where=comments.path,
            hint="mend the code first",
        ) from error
    texts: dict[tuple[int, str], list[str]] = {
        (each.line, each.scope): _lines(each) for each in comments.summaries if each.scope != "module"
    }
    written = module.visit(_Writer(texts)).code
    try:
        same = ast.dump(ast.parse(written)) == before
    except (SyntaxError, ValueError):
        same = False
    if not same:
        raise ConfigError(
            "writing would change the syntax tree, so nothing is written", where=comments.path,
            hint="report this file; use --diff to see the comments",
        )  # fmt: skip
    return written


def unified_diff(path: str, before: str, after: str) -> str:
    """Unified diff with three lines of context, empty when nothing changed."""
    old, new = ([f"{line}\n" for line in text.split("\n")] for text in (before, after))
    for lines in (old, new):  # only `\n` ends a line here: a form feed or a line separator stands within one
        if (last := lines.pop()) != "\n":
            lines.append(f"{last}\\ No newline at end of file\n")
    return "".join(difflib.unified_diff(old, new, f"a/{path}", f"b/{path}"))


def _lines(summary: ScopeSummary) -> list[str]:
    said = [each.text for each in summary.statements if each.topic in _TOPICS and each.source != "docstring"]
    wrapped: list[str] = []
    for text in said:
        clean = "".join(char if char.isprintable() else " " for char in text)
        wrapped += textwrap.wrap(clean, WIDTH, break_long_words=False, subsequent_indent="  ")
    return [f"{MARK} {line}" for line in wrapped]


class _Writer(cst.CSTTransformer):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, texts: dict[tuple[int, str], list[str]]) -> None:
        super().__init__()
        self._texts = texts

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:  # noqa: N802
        return updated_node.with_changes(
            leading_lines=self._leading(original_node, updated_node.leading_lines, "function")
        )

    def leave_ClassDef(self, original_node: cst.ClassDef, updated_node: cst.ClassDef) -> cst.ClassDef:  # noqa: N802
        return updated_node.with_changes(
            leading_lines=self._leading(original_node, updated_node.leading_lines, "class")
        )

    def _leading(
        self, node: cst.FunctionDef | cst.ClassDef, leading: Iterable[cst.EmptyLine], scope: str
    ) -> list[cst.EmptyLine]:
        """Leading lines with our comments last. The position of a decorated definition is that of `def`, as in ast."""
        kept = [line for line in leading if line.comment is None or not line.comment.value.startswith(MARK)]
        line = self.get_metadata(PositionProvider, node.name).start.line
        texts = self._texts.get((line, scope), [])
        return [*kept, *(cst.EmptyLine(comment=cst.Comment(text)) for text in texts)]
