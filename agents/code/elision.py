"""Lines that stand for code somebody left out, such as `# ... rest of the file`: never written into a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agents.code.changes import Hunk
from agents.code.syntax import definitions, is_left_out, is_python

__all__ = ["elision_among", "hollowed", "pieces"]

LONGEST = 300
_COMMENT = r"\s*(?:#|//|/\*|<!--|--|;)+\s*"
_DOTS = re.compile(_COMMENT + r"[\[(<]?\s*(?:\.{3}|…).*")
_WORDS = re.compile(
    _COMMENT + r"[\[(<]?\s*(?:the |all )?(?:rest of|remaining|existing|other|previous|unchanged)\b.{0,60}"
    r"\b(?:code|functions?|methods?|class(?:es)?|file|implementation|imports?|unchanged|same|here|above|below)\b.*",
    re.IGNORECASE,
)


def elision_among(lines: Iterable[str], known: Iterable[str] = ()) -> str:
    """The first line that stands for code left out, unless it is a line of `known`; empty when there is none."""
    had = {line.strip() for line in known}
    return next((line.strip() for line in lines if line.strip() not in had and _is_elision(line)), "")


def pieces(hunk: Hunk) -> Sequence[Hunk]:
    """The hunk cut at the lines that stand for code left out, where both halves have the same of them; else whole.

    Each piece must then fit for itself; those that change nothing go.
    """
    marks = [[line.strip() for line in lines if _is_elision(line)] for lines in (hunk.before, hunk.after)]
    if not marks[0] or marks[0] != marks[1]:
        return (hunk,)
    halves = zip(_cut(hunk.before), _cut(hunk.after), strict=True)
    return [Hunk(before, after, heading=hunk.heading) for before, after in halves if before != after]


def _is_elision(line: str) -> bool:
    return len(line) <= LONGEST and (_DOTS.fullmatch(line) or _WORDS.fullmatch(line)) is not None


def _cut(lines: Sequence[str]) -> list[tuple[str, ...]]:
    parts: list[list[str]] = [[]]
    for line in lines:
        if _is_elision(line):
            parts.append([])
        else:
            parts[-1].append(line)
    return [tuple(part) for part in parts]


def hollowed(path: str, before: str, after: str) -> str:
    """The first definition that had a body in `before` and has only `...` in `after`; empty when there is none."""
    if not is_python(path):
        return ""
    try:
        had, has = definitions(before), definitions(after)
    except SyntaxError:
        return ""
    real = {each.qualname for each in had if not is_left_out(each.node)}
    return next((each.qualname for each in has if each.qualname in real and is_left_out(each.node)), "")
