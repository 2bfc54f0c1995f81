"""What surrounds code in an answer: Markdown fences, and lines that name a file."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["closing", "fence_of", "named_path", "path_in_info", "path_line"]

_FENCE = re.compile(r"(`{3,}|~{3,})([^`]*)")
_FILE = re.compile(r"[\w@+./~\\-]+")
_TAIL = re.compile(r"[\w@+-][\w@+.-]*\.[A-Za-z]\w{0,9}|\.\w[\w.-]*")
_DECORATION = re.compile(
    r"(?:#+\s+|[-*]\s+|\d+[.)]\s+)?(?:(?:new |in )?(?:file|filename|path)\s*:?\s+)?", re.IGNORECASE
)
_QUOTED = re.compile(r"`([^`\s]+)`")
LONGEST = 400
"""A longer line names no file, and is not worth a search."""
_INFO_PATH = re.compile(r"""(?:file(?:name)?|path|title)\s*=\s*["']?([^"'\s]+)["']?""")


def fence_of(line: str) -> tuple[str, str] | None:
    """The marks and the info string of a line that opens or closes a fenced block at the margin; None for others."""
    found = _FENCE.fullmatch(line)
    return (found[1], found[2].strip()) if found else None


def closing(lines: Sequence[str], opening: int) -> int | None:
    """The line that closes the fence opened at `opening`; None if none does.

    A fence with an info string opens a block within the block, as in Markdown that is itself being written.
    """
    first = fence_of(lines[opening])
    assert first is not None
    open_marks = [first[0]]
    for at in range(opening + 1, len(lines)):
        fence = fence_of(lines[at])
        if fence is None:
            continue
        marks, info = fence
        if info:
            open_marks.append(marks)
        elif marks[0] == open_marks[-1][0] and len(marks) >= len(open_marks[-1]):
            open_marks.pop()
            if not open_marks:
                return at
    return None


def path_line(line: str) -> str:
    """The path, if the line says nothing else (but for marks of emphasis and a word such as `File:`); else empty."""
    if len(line) > LONGEST:
        return ""
    text = line.strip()
    text = text[_DECORATION.match(text).end() :]  # type: ignore[union-attr]  # it matches the empty string too
    text = text.strip().rstrip(":").strip()
    bare = text.strip("*_").rstrip(":").strip("`")
    if not _FILE.fullmatch(bare) or bare.endswith(("/", ".")):
        return ""
    sure = text != bare or "/" in bare or _TAIL.fullmatch(bare.rsplit("/", 1)[-1]) is not None
    return bare.removeprefix("./") if sure else ""


def named_path(line: str) -> str:
    """As `path_line`, or the one path in backticks in a sentence that ends with a colon."""
    if path := path_line(line):
        return path
    if len(line) > LONGEST:
        return ""
    quoted = [each for each in _QUOTED.findall(line) if path_line(f"`{each}`") and _TAIL.search(each)]
    return quoted[0].removeprefix("./") if len(quoted) == 1 and line.rstrip().endswith(":") else ""


def path_in_info(info: str) -> str:
    """The path in an info string such as `python:src/a.py`, `src/a.py`, `python title="a.py"`; else empty."""
    if len(info) > LONGEST:
        return ""
    if found := _INFO_PATH.search(info):
        return path_line(found[1])
    last = info.split()[-1] if info else ""
    candidate = path_line(last.split(":", 1)[-1])
    return candidate if "." in candidate or "/" in candidate else ""
