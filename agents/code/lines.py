"""Texts as lines, and lines as texts: only `\\n` ends a line.

`str.splitlines` also breaks at form feeds, carriage returns and Unicode separators, which git does not, and which stand
within string literals of real programs.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["bare_lines", "canonical", "indent_of", "joined", "occurrences", "squeezed", "uses_crlf", "with_ends"]


def with_ends(text: str) -> list[str]:
    """The lines of `text`, each with its `\\n` (the last one, if the text ends with it).  `"".join` undoes it."""
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def bare_lines(text: str) -> list[str]:
    """The lines of `text` without their ends; whether the last one had an end is lost."""
    return text.removesuffix("\n").split("\n") if text else []


def joined(lines: Sequence[str], *, final_newline: bool = True) -> str:
    """Bare lines as a text."""
    text = "\n".join(lines)
    return f"{text}\n" if lines and final_newline else text


def squeezed(line: str) -> str:
    """The line without indentation, and with single blanks: equal for lines that differ in whitespace alone."""
    return " ".join(line.split())


def canonical(line: str) -> str:
    """The line squeezed, with one style of quotes and without the comment behind its code: for rating likeness only."""
    text = squeezed(line).replace("'", '"')
    code, mark, comment = text.partition(" # ")
    return code if mark and '"' not in comment else text


def indent_of(line: str) -> str:
    """The blanks and tabs that a line begins with."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def uses_crlf(text: str) -> bool:
    """Whether every line of the text ends with `\\r\\n`."""
    ends = text.count("\n")
    return ends > 0 and text.count("\r\n") == ends


def occurrences(quoted: Sequence[str], lines: Sequence[str]) -> list[int]:
    """The indices at which the quoted bare lines (at least one) stand in `lines`, also where they overlap."""
    text, wanted = "\n".join(["", *lines, ""]), "\n".join(["", *quoted, ""])
    found: list[int] = []
    at = text.find(wanted)
    line = last = 0
    while at >= 0:
        line, last = line + text.count("\n", last, at), at
        found.append(line)
        at = text.find(wanted, at + 1)
    return found
