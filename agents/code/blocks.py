"""Reading SEARCH/REPLACE blocks: what stands in a file, and what is to stand there.

path/to/file.py                 may be left out: the path of the block before, or the only file there is
<<<<<<< SEARCH
lines as they are
=======
lines as they should be
>>>>>>> REPLACE
"""

from __future__ import annotations

import re

from agents.code.changes import FileChange, Hunk
from agents.code.fences import fence_of, named_path, path_in_info, path_line
from agents.code.lines import joined
from core.errors import PatchError

__all__ = ["begins_block", "block_end", "read_blocks"]

_SEARCH = re.compile(r"(<{5,9}) ?SEARCH\b:?(.*)")
_REPLACE = re.compile(r">{5,9} ?REPLACE\b.*")
_DIVIDER = re.compile(r"={5,9}\s*")
LINES_ABOVE = 3
"""So far above its block a path may stand."""


def begins_block(line: str) -> bool:
    return _SEARCH.fullmatch(line) is not None


def block_end(lines: list[str], opening: int) -> int | None:
    """The line that closes the block opened at `opening`; None if none does."""
    return next((at for at in range(opening, len(lines)) if _REPLACE.fullmatch(lines[at])), None)


def read_blocks(lines: list[str]) -> list[FileChange]:
    """The changes of the blocks, those of one file together, in the order of their first block.

    A block with an empty search text makes a new file.  Raises PatchError for a block that is not whole.
    """
    hunks: dict[str, list[Hunk]] = {}
    path, at = "", 0
    while at < len(lines):
        opening = _SEARCH.fullmatch(lines[at])
        if opening is None:
            at += 1
            continue
        path = path_line(opening[2].strip()) or _path_above(lines, at) or path
        hunk, at = _read_block(lines, at, len(opening[1]))
        hunks.setdefault(path, []).append(hunk)
    return [_change(path, each) for path, each in hunks.items()]


def _read_block(lines: list[str], opening: int, width: int) -> tuple[Hunk, int]:
    where = f"the block that begins on line {opening + 1}"
    dividers: list[int] = []
    for at in range(opening + 1, len(lines)):
        if begins_block(lines[at]):
            break
        if _DIVIDER.fullmatch(lines[at]):
            dividers.append(at)
        elif _REPLACE.fullmatch(lines[at]):
            exact = [each for each in dividers if len(lines[each].rstrip()) == width] or dividers
            if len(exact) != 1:
                count = f"has {len(exact)} lines" if exact else "has no line"
                raise PatchError(
                    f"a SEARCH/REPLACE block {count} of ======= between its halves, and must have one", where=where,
                    hint="change such a file with a unified diff" if exact else "",
                )  # fmt: skip
            return Hunk(tuple(lines[opening + 1 : exact[0]]), tuple(lines[exact[0] + 1 : at])), at + 1
    raise PatchError(
        "a SEARCH/REPLACE block is not closed by >>>>>>> REPLACE", where=where, hint="the answer may be cut off"
    )


def _path_above(lines: list[str], opening: int) -> str:
    """The path on the nearest line above, past blank lines and the fence that the block stands in."""
    fences = 0
    for at in range(opening - 1, max(-1, opening - 2 - LINES_ABOVE), -1):
        fence = fence_of(lines[at])
        if fence and (fences := fences + 1) == 1:
            if path := path_in_info(fence[1]):
                return path
        elif fence or _REPLACE.fullmatch(lines[at]):
            return ""
        elif lines[at].strip():
            return named_path(lines[at].removeprefix("# ").removeprefix("// "))
    return ""


def _change(path: str, hunks: list[Hunk]) -> FileChange:
    first = hunks[0]
    if not any(line.strip() for line in first.before):
        if len(hunks) > 1:
            raise PatchError(
                "a block with an empty search text makes a new file, so it must be the file's only one",
                where=path or "a block",
                hint="quote a line of the file to say where the new lines go",
            )  # fmt: skip
        return FileChange(path, "create", "blocks", text=joined(first.after))
    return FileChange(path, "edit", "blocks", tuple(hunks))
