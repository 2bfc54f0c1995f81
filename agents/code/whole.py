"""Reading whole files: a path on a line of its own (or in the info string), and the text in a fenced block."""

from __future__ import annotations

from agents.code.changes import FileChange
from agents.code.fences import closing, fence_of, path_in_info, path_line
from agents.code.lines import joined
from core.errors import PatchError

__all__ = ["named_fence", "read_whole"]


def named_fence(lines: list[str], at: int) -> str:
    """The path of the file that a fence opened at this line holds; empty when it opens none, or none is named."""
    fence = fence_of(lines[at])
    if fence is None:
        return ""
    if path := path_in_info(fence[1]):
        return path
    above = at - 1
    if above > 0 and not lines[above].strip():
        above -= 1
    return path_line(lines[above]) if above >= 0 else ""


def read_whole(lines: list[str]) -> list[FileChange]:
    """The files of the answer; fenced blocks without a path are skipped.

    Raises PatchError for a block that is not closed and for a file that is written twice.
    """
    files: dict[str, FileChange] = {}
    at = 0
    while at < len(lines):
        if fence_of(lines[at]) is None:
            at += 1
            continue
        path, end = named_fence(lines, at), closing(lines, at)
        if path and end is None:
            raise PatchError(
                f"the text of {path} is not closed by a fence", where=f"line {at + 1}", hint="the answer may be cut off"
            )
        if path in files:
            raise PatchError(f"{path} is written twice", where=f"line {at + 1}", hint="write each file once")
        if path:
            files[path] = FileChange(path, "write", "whole", text=joined(lines[at + 1 : end]))
        at = len(lines) if end is None else end + 1
    return list(files.values())
