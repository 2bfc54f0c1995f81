"""Two states of some files as a unified diff that `git apply` takes, and the strict inverse.

    apply_exactly(before, unified_diff(before, after)) == after        for any texts and safe paths

A line ends with `\\n` alone, so carriage returns, form feeds and Unicode separators pass unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agents.code.alignment import Change, changes
from agents.code.blobs import NO_BLOB, blob_id, is_blob
from agents.code.lines import with_ends
from agents.code.paths import path_fault
from core.errors import PatchError

__all__ = ["apply_exactly", "unified_diff"]

CONTEXT = 3
NO_END = "\\ No newline at end of file\n"
_RANGE = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@.*\n")


def unified_diff(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """The diff from `before` to `after`, files in the order of their paths, three lines of context; "" if equal.

    A path that only one side has is a new or a deleted file.  Raises PatchError for a path that is not safe.
    """
    return "".join(
        part
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
        for part in _file_diff(path, before.get(path), after.get(path))
    )


def apply_exactly(base: Mapping[str, str], diff: str) -> dict[str, str]:
    """All files of `base`, changed by a diff as `unified_diff` writes it.

    Every line must stand where the diff says.  Raises PatchError where one does not, and for any other form.
    """
    if diff and not diff.endswith("\n"):
        raise PatchError("the diff is cut off within a line", where="its last line")
    files = dict(base)
    lines = with_ends(diff)
    at = 0
    while at < len(lines):
        section = _Section.read(lines, at)
        at = section.end
        old = files.get(section.path)
        if section.new == (old is not None):
            raise PatchError(
                f"{section.path} {'exists already' if section.new else 'does not exist'}", where="the diff"
            )
        if old is not None and section.blob and not is_blob(old, section.blob):
            raise PatchError("the diff was made from another text", where=section.path)
        text = _patched(old or "", section)
        if not section.deleted:
            files[section.path] = text
        elif text:
            raise PatchError("the file to delete holds more than the diff removes", where=section.path)
        else:
            del files[section.path]
    return files


def _file_diff(path: str, old: str | None, new: str | None) -> Iterable[str]:
    if fault := path_fault(path):
        raise PatchError(fault, where=repr(path[:80]))
    yield f"diff --git {_quoted(f'a/{path}')} {_quoted(f'b/{path}')}\n"
    if old is None:
        yield "new file mode 100644\n"
    if new is None:
        yield "deleted file mode 100644\n"
    blobs = "..".join(NO_BLOB if text is None else blob_id(text) for text in (old, new))
    yield f"index {blobs}{'' if old is None or new is None else ' 100644'}\n"
    before, after = with_ends(old or ""), with_ends(new or "")
    found = changes(before, after)
    if not found:
        return
    end = "\t" if " " in path else ""  # tells a name with blanks from a name with a date behind it
    yield "--- /dev/null\n" if old is None else f"--- {_quoted(f'a/{path}')}{end}\n"
    yield "+++ /dev/null\n" if new is None else f"+++ {_quoted(f'b/{path}')}{end}\n"
    for group in _grouped(found):
        yield from _hunk(before, after, group)


def _grouped(found: list[Change]) -> list[list[Change]]:
    """Changes whose contexts touch share a hunk."""
    groups = [[found[0]]]
    for change in found[1:]:
        if change[0] - groups[-1][-1][1] <= 2 * CONTEXT:
            groups[-1].append(change)
        else:
            groups.append([change])
    return groups


def _hunk(before: list[str], after: list[str], group: list[Change]) -> Iterable[str]:
    lead = min(group[0][0], CONTEXT)
    tail = min(len(before) - group[-1][1], CONTEXT)
    i, j = group[0][0] - lead, group[0][2] - lead
    old, new = group[-1][1] + tail - i, group[-1][3] + tail - j
    yield f"@@ -{_range(i, old)} +{_range(j, new)} @@\n"
    for i1, i2, j1, j2 in group:
        yield from _marked(" ", before[i:i1])
        yield from _marked("-", before[i1:i2])
        yield from _marked("+", after[j1:j2])
        i = i2
    yield from _marked(" ", before[i : i + tail])


def _marked(mark: str, lines: list[str]) -> Iterable[str]:
    return (f"{mark}{line}" if line.endswith("\n") else f"{mark}{line}\n{NO_END}" for line in lines)


def _range(start: int, size: int) -> str:
    return f"{start + 1 if size else start},{size}"


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '\\"')) if '"' in name else name


@dataclass(frozen=True)
class _Section:
    """One file of a diff.  `hunks` holds (first line from 0, old lines, new lines); `end` is the line behind it."""

    path: str
    new: bool
    deleted: bool
    blob: str
    hunks: list[tuple[int, list[str], list[str]]]
    end: int

    @classmethod
    def read(cls, lines: list[str], at: int) -> _Section:
        head = lines[at].removeprefix("diff --git ").removesuffix("\n")
        half = head[: len(head) // 2]  # both names are equal but for their first letter
        path = half.strip('"').removeprefix("a/").replace('\\"', '"')
        if lines[at] != f"diff --git {_quoted(f'a/{path}')} {_quoted(f'b/{path}')}\n" or path_fault(path):
            raise PatchError("a file of the diff must begin with `diff --git`", where=f"line {at + 1}")
        at += 1
        mode = lines[at].split(" mode ")[0] if at < len(lines) else ""
        new, deleted = mode == "new file", mode == "deleted file"
        at += new or deleted
        blob = lines[at][6:].split("..")[0] if at < len(lines) and lines[at].startswith("index ") else ""
        while at < len(lines) and lines[at].startswith(("index ", "--- ", "+++ ")):
            at += 1
        hunks: list[tuple[int, list[str], list[str]]] = []
        while at < len(lines) and (range_ := _RANGE.fullmatch(lines[at])):
            start, old, _, size = (1 if number is None else int(number) for number in range_.groups())
            at, removed, added = _body(lines, at + 1, old, size)
            hunks.append((start - 1 if old else start, removed, added))
        return cls(path, new, deleted, blob, hunks, at)


def _body(lines: list[str], at: int, old: int, new: int) -> tuple[int, list[str], list[str]]:
    removed: list[str] = []
    added: list[str] = []
    while len(removed) < old or len(added) < new:
        mark, line = (lines[at][:1], lines[at][1:]) if at < len(lines) else ("", "")
        if mark not in (" ", "+", "-"):
            raise PatchError("a hunk is shorter than its header says", where=f"line {at + 1}")
        at += 1
        if at < len(lines) and lines[at] == NO_END:
            line = line.removesuffix("\n")
            at += 1
        if mark != "+":
            removed.append(line)
        if mark != "-":
            added.append(line)
    return at, removed, added


def _patched(text: str, section: _Section) -> str:
    lines = with_ends(text)
    out: list[str] = []
    done = 0
    for start, removed, added in section.hunks:
        if start < done or lines[start : start + len(removed)] != removed:
            raise PatchError(f"the lines from {start + 1} are not those of the diff", where=section.path)
        out += [*lines[done:start], *added]
        done = start + len(removed)
    return "".join([*out, *lines[done:]])
