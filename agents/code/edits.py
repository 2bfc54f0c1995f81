"""A text that asks for changes of files, read: a unified diff, SEARCH/REPLACE blocks, or whole files.

Which of the three it is, is seen from what stands there; one answer keeps to one form.  Nothing is known here of the
files themselves: whether the changes fit is for `apply` to find out.
"""

from __future__ import annotations

from collections.abc import Callable

from agents.code.blocks import begins_block, block_end, read_blocks
from agents.code.changes import FileChange, Form, Limits
from agents.code.fences import closing, fence_of, path_line
from agents.code.lines import bare_lines
from agents.code.unified import begins_diff, read_diff
from agents.code.whole import named_fence, read_whole
from core.errors import PatchError

__all__ = ["EXPECTED", "parse_changes"]

EXPECTED = (
    "write a unified diff (--- a/path, +++ b/path, @@), or SEARCH/REPLACE blocks below the file's path, "
    "or each file whole in a fenced block below its path"
)
_NAMES: dict[Form, str] = {"diff": "a unified diff", "blocks": "SEARCH/REPLACE blocks", "whole": "whole files"}
_READERS: dict[Form, Callable[[list[str]], list[FileChange]]] = {
    "diff": read_diff,
    "blocks": read_blocks,
    "whole": read_whole,
}


def parse_changes(text: str, limits: Limits | None = None) -> tuple[FileChange, ...]:
    """The changes that `text` asks for, at least one.

    Ends of lines are taken as `\\n`, whatever the answer travelled through.  Raises PatchError for a text that holds no
    change or half of one, that mixes forms, or that exceeds `limits`.
    """
    limits = limits or Limits()
    if len(text) > limits.answer:
        raise PatchError(f"the answer has {len(text):,} characters, more than {limits.answer:,}", where="the answer")
    lines = bare_lines(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    form = _form(lines)
    changes = _READERS[form](lines) if form else []
    if not changes:
        raise PatchError("the answer holds no change of a file", where=_opening(text), hint=EXPECTED)
    _bound(changes, limits)
    return tuple(changes)


def _form(lines: list[str]) -> Form | None:
    """The one form of the changes in the answer; None without any.  Raises PatchError for several."""
    found: dict[Form, int] = {}
    at = 0
    while at < len(lines):
        end: int | None = at
        if begins_block(lines[at]):
            found.setdefault("blocks", at)
            end = block_end(lines, at)
        elif begins_diff(lines, at):
            found.setdefault("diff", at)
        elif named_fence(lines, at) and _holds_a_file(lines, at):
            found.setdefault("whole", at)
            end = closing(lines, at)
        at = len(lines) if end is None else end + 1
    if len(found) > 1:
        line = max(found.values()) + 1
        raise PatchError(
            f"the answer mixes {' and '.join(_NAMES[each] for each in found)}", where=f"line {line}", hint=EXPECTED
        )
    return next(iter(found), None)


def _holds_a_file(lines: list[str], opening: int) -> bool:
    """Whether a fenced block holds text of a file, not a diff or a SEARCH/REPLACE block."""
    fence = fence_of(lines[opening])
    first = next((at for at in range(opening + 1, len(lines)) if lines[at].strip()), None)
    if first is None or (fence and fence[1].lower().startswith(("diff", "patch"))):
        return False
    below = first + 1 if path_line(lines[first]) and first + 1 < len(lines) else first
    return not any(begins_block(lines[at]) or begins_diff(lines, at) for at in (first, below))


def _bound(changes: list[FileChange], limits: Limits) -> None:
    hunks = sum(len(change.hunks) for change in changes)
    for count, most, noun in ((len(changes), limits.files, "files"), (hunks, limits.hunks, "places")):
        if count > most:
            raise PatchError(f"the answer changes {count} {noun}, more than {most}", where="the answer")
    for change in changes:
        if len(change.text) > limits.file:
            raise PatchError(
                f"{len(change.text):,} characters for one file, more than {limits.file:,}", where=change.path
            )


def _opening(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return f"it begins with {first[:60]!r}" if first else "it is empty"
