"""Which files a change may touch: paths below the root, among the allowed globs.

A glob is matched segment by segment: `*`, `?` and `[…]` stay within one, `**` stands for any number of them, and a glob
with a leading `!` forbids what it matches.  Nothing is asked of a file system, so links are not followed: whoever
writes the files must not follow any either.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable

from core.records import lies_below

__all__ = ["Allowed", "allows", "path_fault"]

Allowed = Callable[[str], bool] | Iterable[str] | None
"""A predicate over paths, or globs; None allows every path that is safe."""

MOST_CHARACTERS = 300
_DRIVE = re.compile(r"[A-Za-z]:")


def path_fault(path: str) -> str:
    """Why `path` may not be written, as half a sentence; empty for a relative path in normal form below the root."""
    parts = path.split("/")
    if not path or len(path) > MOST_CHARACTERS:
        return f"the path has {len(path)} characters, and may have 1 to {MOST_CHARACTERS}"
    if any(ord(char) < 32 or 127 <= ord(char) < 160 or 0xD800 <= ord(char) < 0xE000 for char in path):
        return "the path holds a control character"
    if path.startswith("/") or "\\" in path or _DRIVE.match(path):
        return "the path must be relative, and written with slashes"
    if any(part.rstrip(". ").casefold() == ".git" for part in parts):  # some file systems take `.GIT.` for it
        return "the path leads into git's own folder"
    if not lies_below(path):
        return "the path leads out of the folder"
    if any(part in ("", ".") or part != part.strip() for part in parts):
        return "the path is not in its normal form"
    return ""


def allows(allowed: Allowed, path: str) -> bool:
    """Whether `allowed` lets `path` be changed.  A single string is one glob."""
    if allowed is None:
        return True
    if callable(allowed):
        return allowed(path)
    globs = (allowed,) if isinstance(allowed, str) else tuple(allowed)
    forbidden = [glob[1:] for glob in globs if glob.startswith("!")]
    if any(_matches(glob, path) for glob in forbidden):
        return False
    return any(_matches(glob, path) for glob in globs if not glob.startswith("!"))


def _matches(glob: str, path: str) -> bool:
    parts = path.split("/")
    ends = {0}
    for segment in glob.split("/"):
        if segment == "**":
            ends = set(range(min(ends), len(parts) + 1))
        else:
            ends = {end + 1 for end in ends if end < len(parts) and fnmatch.fnmatchcase(parts[end], segment)}
        if not ends:
            return False
    return len(parts) in ends
