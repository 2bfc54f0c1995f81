"""Writing the edits of one place: whole statements and expressions, with the indentation and imports they need.

A draft that cannot be written as asked (within an f-string, behind a `;`, into an `elif`, with `list` where that is a
variable) yields no rewrite.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections import Counter
from collections.abc import Iterator

from agents.code.transformations.analysis.imports import import_statement
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.rules import Rewrite, Splice

__all__ = ["Draft"]

_BUILTIN = re.compile(
    r"(?<![\w.])(?:list|dict|set|frozenset|tuple|str|int|sum|min|max|len|range|enumerate|reversed|sorted|iter|isinstance)"
    r"(?!\w)"
)
"""The builtins that transformations write."""


class Draft:
    def __init__(self, module: ParsedModule) -> None:
        self.module = module
        self.blocked = False
        self._splices: list[Splice] = []
        self._taken: set[str] = set()
        self._imports: set[str] = set()

    def rewrite(self, anchor: ast.AST, description: str, note: str = "") -> Iterator[Rewrite]:
        """The finished edits; nothing when they are blocked, missing, or in each other's way."""
        ordered = sorted(self._splices, key=lambda each: (each.start, each.end))
        crossed = any(one.end > other.start for one, other in itertools.pairwise(ordered))
        if self._splices and not self.blocked and not crossed and not self._misnames(anchor):
            yield Rewrite(anchor, description, note, tuple(self._splices))

    # ------------------------------------------------------------------ names
    def _misnames(self, anchor: ast.AST) -> bool:
        """Whether the edits write the name of a builtin, such as `list`, that means something else at the anchor."""
        names = self.module.names
        scopes = [names.scope_of.get(anchor, names.top), names.own.get(anchor, names.top)]
        written, gone = Counter[str](), Counter[str]()
        for each in self._splices:
            written.update(_BUILTIN.findall(each.text))
            gone.update(_BUILTIN.findall(self.module.text[each.start : each.end]))
        return any(scope.lookup(name) is not None for name in written - gone for scope in scopes)

    def fresh(self, base: str) -> str:
        """A name like `base` that stands nowhere in the module."""
        clean = "".join(char if char.isalnum() or char == "_" else "_" for char in base).strip("_") or "value"
        lead = "_" if base.startswith("_") else ""
        name, n = lead + clean, 2
        while name in self.module.names.words or name in self._taken or not name.isidentifier():
            name, n = f"{lead}{clean}_{n}", n + 1
            if n > 99:
                self.blocked = True
                break
        self._taken.add(name)
        return name

    def imported(self, source: str, attribute: str = "", *, at: ast.AST) -> str:
        """How to write `source.attribute` at a place of the module; an import is added where there is none."""
        module = self.module
        names = module.names
        if attribute and (name := self._bound_to(source, attribute, at)):
            return name
        package = self._bound_to(source, "", at)
        if package is None:
            if source.split(".")[0] in names.words - {source.split(".")[0]} or self._is_taken(source):
                self.blocked = True
            if source not in self._imports:
                self._imports.add(source)
                place, layout = self._import_place(source)
                self._splices.append(Splice(place, place, layout.format(f"import {source}\n")))
            package = source
        return f"{package}.{attribute}" if attribute else package

    def _is_taken(self, source: str) -> bool:
        return source.split(".")[0] in self.module.names.words or self.module.names.star_import

    def _bound_to(self, source: str, attribute: str, at: ast.AST) -> str | None:
        """The module-level name that stands for a module, or for one of its attributes, and is visible `at` a place."""
        module = self.module
        for name in list(module.names.top.bindings):
            by = import_statement(module, name)
            alias = module.names.top.bindings[name][0].node
            if by is None or not isinstance(alias, ast.alias):
                continue
            if isinstance(by, ast.ImportFrom):
                means = (by.module or "", alias.name) if not by.level else ("", "")
                fits = means == (source, attribute) if attribute else f"{means[0]}.{means[1]}" == source
            else:
                fits = not attribute and alias.name == source and (alias.asname is not None or "." not in source)
            if fits and module.scope(at).lookup(name) is module.names.top and self._is_earlier(by, at):
                return name
        return None

    def _is_earlier(self, by: ast.stmt, at: ast.AST) -> bool:
        return self.module.function(at) is not None or by.lineno < getattr(at, "lineno", 0)

    def _import_place(self, source: str) -> tuple[int, str]:
        """Where an import may be added, behind the docstring and the imports from `__future__`, and how it is set."""
        module = self.module
        body, lead = module.tree.body, 0
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            lead = 1
        while lead < len(body) and isinstance(first := body[lead], ast.ImportFrom) and first.module == "__future__":
            lead += 1
        imports: list[ast.Import | ast.ImportFrom] = []
        while lead + len(imports) < len(body):
            each = body[lead + len(imports)]
            if not isinstance(each, ast.Import | ast.ImportFrom):
                break
            imports.append(each)
        if imports:
            later = (each for each in imports if isinstance(each, ast.ImportFrom) or each.names[0].name > source)
            here = next(later, None)
            return (self._line_start(here), "{}") if here else (self._line_end(imports[-1]), "{}")
        if lead:
            return self._line_end(body[lead - 1]), "\n{}"
        if not body:
            self.blocked = True
            return 0, "{}"
        return self._line_start(body[0]), "{}\n\n"

    # ------------------------------------------------------------------ edits
    def replace(self, node: ast.AST, text: str) -> None:
        if any(isinstance(each, ast.JoinedStr) for each in self.module.ancestors(node)):
            self.blocked = True  # positions within f-strings are not to be trusted before Python 3.12
            return
        start, end = self.module.span(node)
        self._splices.append(Splice(start, end, text))

    def replace_text(self, start: int, end: int, text: str) -> None:
        """Put `text` in the place of characters that are no node of their own, such as the name of a function."""
        self._splices.append(Splice(start, end, text))

    def replace_between(self, first: ast.AST, last: ast.AST, text: str) -> None:
        """Put `text` in the place of everything from one expression to another; comments there block the draft."""
        start, end = self.module.span(first)[0], self.module.span(last)[1]
        if any(isinstance(each, ast.JoinedStr) for each in self.module.ancestors(first)):
            self.blocked = True
        self.blocked |= any(start <= at < end for at, _ in self.module.comments)
        while self.module.text[end : end + 1] == ")" and self._unbalanced(start, end):
            end += 1
        self._splices.append(Splice(start, end, text))

    def _unbalanced(self, start: int, end: int) -> bool:
        """Whether parentheses opened in a span are closed behind it: those around its last expression."""
        try:
            ast.parse(f"[x for x in {self.module.text[start:end]}]")
        except SyntaxError:
            return True
        return False

    def dedent(self, test: ast.If) -> None:
        """Take an `if` away and move its body one level out; texts of several lines keep theirs and block the draft."""
        module = self.module
        self._line_start(test)
        start, end = self._line_start(test.body[0]), self._line_end(test.body[-1])
        outer, inner = self._indent(test), self._indent(test.body[0])
        if not inner.startswith(outer) or any(
            isinstance(each, ast.JoinedStr | ast.Constant) and each.lineno != each.end_lineno
            for statement in test.body
            for each in ast.walk(statement)
        ):
            self.blocked = True
        lines = module.text[start:end].splitlines(keepends=True)
        moved = [outer + line[len(inner) :] if line.startswith(inner) else line for line in lines]
        self._splices.append(Splice(module.line_at(module.span(test)[0])[0], end, "".join(moved)))

    def before(self, statement: ast.stmt, *lines: str) -> None:
        """Lines with the indentation of a statement, in front of it and its decorators."""
        start = self._line_start(statement)
        indent = self._indent(statement)
        self._splices.append(Splice(start, start, "".join(f"{indent}{line}\n" if line else "\n" for line in lines)))

    def after(self, statement: ast.stmt, *lines: str) -> None:
        self._line_start(statement)
        end, indent = self._line_end(statement), self._indent(statement)
        text = "".join(f"{indent}{line}\n" if line else "\n" for line in lines)
        if end == len(self.module.text) and not self.module.text.endswith(("\n", "\r")):
            text = "\n" + text
        self._splices.append(Splice(end, end, text))

    def swap(self, first: ast.stmt, last: ast.stmt, *lines: str) -> None:
        """Put lines in the place of neighbouring statements; comments between them move in front."""
        self._line_start(first)
        self._line_end(last)
        start, end = self.module.span(first)[0], self.module.span(last)[1]
        indent = self._indent(first)
        comments = [text for at, text in self.module.comments if start <= at < end]
        kept = [comment for comment in comments if all(comment not in line for line in lines)]
        self._splices.append(Splice(start, end, f"\n{indent}".join([*kept, *lines])))

    def settle(self, start: ast.stmt, loop: ast.stmt, value: str) -> None:
        """Put `name = value` in the place of a loop, for the statement before it that gave the name its first value."""
        module = self.module
        target = (
            start.target
            if isinstance(start, ast.AnnAssign)
            else start.targets[0]
            if isinstance(start, ast.Assign)
            else None
        )
        if target is None:
            self.blocked = True
            return
        written = module.segment(target)
        if isinstance(start, ast.AnnAssign):
            written += f": {module.segment(start.annotation)}"
        if module.following(start) is loop:
            self.swap(start, loop, f"{written} = {value}")
        else:
            self.remove(start)
            self.swap(loop, loop, f"{written} = {value}")

    def remove(self, statement: ast.stmt) -> None:
        """Take a statement away with its line; its block must hold others."""
        start, end = self._line_start(statement), self._line_end(statement)
        if len(self.module.block(statement)) < 2 or any(start <= at < end for at, _ in self.module.comments):
            self.blocked = True
        self._splices.append(Splice(start, end, ""))

    def top(self, *lines: str, needs: str = "", after: ast.stmt | None = None) -> None:
        """Lines at the level of the module, behind its imports: behind that of the name `needs`, or a statement."""
        module = self.module
        place = after
        if place is None:
            lead = 0
            body = module.tree.body
            while lead < len(body) and (
                isinstance(body[lead], ast.Import | ast.ImportFrom)
                or (lead == 0 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant))
            ):
                lead += 1
            if lead == 0:
                start = self._line_start(body[0])
                self._splices.append(Splice(start, start, "".join(f"{line}\n" for line in [*lines, "", ""])))
                return
            place = body[lead - 1]
            source = import_statement(module, needs) if needs else None
            if source is not None and module.span(source)[0] > module.span(place)[0]:
                place = source
        gap = [] if after is not None else [""]
        self.after(place, *gap, *lines)

    # ------------------------------------------------------------------ layout
    def _indent(self, statement: ast.stmt) -> str:
        start = self.module.span(statement)[0]
        return self.module.text[self.module.line_at(start)[0] : start]

    def _line_start(self, statement: ast.stmt) -> int:
        """Where the line of a statement starts; blocks the draft when something else stands on that line."""
        module = self.module
        start = module.span(statement)[0]
        line = module.line_at(start)[0]
        continued = module.text[:line].rstrip("\r\n").endswith("\\") and line > 0
        is_elif = isinstance(statement, ast.If) and module.text.startswith("elif", start)
        if module.text[line:start].strip(" \t") or continued or is_elif:
            self.blocked = True
        return line

    def _line_end(self, statement: ast.stmt) -> int:
        """Where the line after a statement starts; blocks the draft when another statement ends that line."""
        module = self.module
        end = module.span(statement)[1]
        stop = module.line_at(end)[1]
        rest = module.text[end:stop].strip(" \t\f")
        if rest and not rest.startswith("#"):
            self.blocked = True
        while stop < len(module.text) and module.text[stop] in "\r\n":
            stop += 1
            if module.text[stop - 1] == "\n":
                break
            if stop >= len(module.text) or module.text[stop] != "\n":
                break
        return stop
