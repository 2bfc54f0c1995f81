"""Reading a unified diff that somebody typed: with wrong numbers, without headers, within prose or fences.

What the text says is taken, what it counts is not: a hunk ends where lines of another kind begin.  The number of a line
counts only if the sizes beside it are right, and for a file that is the one the diff was made from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from agents.code.changes import FileChange, Hunk
from agents.code.fences import fence_of
from agents.code.lines import joined
from core.errors import PatchError

__all__ = ["begins_diff", "read_diff"]

_RANGE = re.compile(r"@@+ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@+(.*)")
_DATE = re.compile(r"\t.*$|\s+\d{4}-\d\d-\d\d.*$")
_INDEX = re.compile(r"index ([0-9a-f]{7,40})\.\.")
_OCTAL = re.compile(r'\\([0-7]{3}|["\\tn])')
LONGEST_NAME = 1000
_NOWHERE = "/dev/null"


def begins_diff(lines: list[str], at: int) -> bool:
    """Whether a diff begins at this line."""
    return lines[at].startswith(("diff --git ", "@@ ")) or lines[at] == "@@" or _is_names(lines, at)


def read_diff(lines: list[str]) -> list[FileChange]:
    """The changes of every file of the diff; what stands around them is skipped.

    Raises PatchError for what a text cannot say: binary content, links, copies, changes of mode alone.
    """
    files: list[_File] = []
    at, fenced = 0, False
    while at < len(lines):
        line = lines[at]
        if fence := fence_of(line):
            fenced = bool(fence[1]) or not fenced
        elif line.startswith("diff --git "):
            files.append(_File(header=line))
        elif _is_names(lines, at):
            if not files or files[-1].hunks or files[-1].new:
                files.append(_File())
            files[-1].old, files[-1].new = _name(line[4:]), _name(lines[at + 1][4:])
            at += 1
            if at + 1 < len(lines) and lines[at + 1][:1] in (" ", "+", "-") and not _is_names(lines, at + 1):
                at = files[-1].read_hunk(lines, at + 1, "", fenced)  # somebody forgot the `@@`
                continue
        elif line.startswith("@@"):
            if not files:
                files.append(_File())
            at = files[-1].read_hunk(lines, at + 1, line, fenced)
            continue
        elif files and not files[-1].hunks:
            files[-1].read_header(line)
        at += 1
    return [each.change() for each in files]


def _is_names(lines: list[str], at: int) -> bool:
    return lines[at].startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ ")


def _name(text: str) -> str:
    """A name as git quotes it, without the date that diff writes behind it."""
    text = text[:LONGEST_NAME].strip()
    text = text if text.startswith('"') else _DATE.sub("", text).strip()
    if not (text.startswith('"') and text.endswith('"') and len(text) > 1):
        return text
    letters = {'"': '"', "\\": "\\", "t": "\t", "n": "\n"}
    plain = _OCTAL.sub(lambda found: letters.get(found[1]) or chr(int(found[1], 8)), text[1:-1])
    try:
        return plain.encode("latin-1").decode()
    except UnicodeError:
        return plain


@dataclass
class _File:
    header: str = ""
    old: str = ""
    new: str = ""
    created: bool = False
    deleted: bool = False
    renamed: tuple[str, str] = ("", "")
    mode_only: bool = False
    blob: str = ""
    hunks: list[Hunk] = field(default_factory=list)

    def read_header(self, line: str) -> None:
        if line.startswith(("GIT binary patch", "Binary files ")):
            raise PatchError("a binary file cannot be changed by a diff of text", where=line[:80])
        if line.startswith("copy from "):
            raise PatchError("a diff that copies a file is not taken", where=line[:80], hint="write the new file whole")
        if " mode 120000" in line or " mode 160000" in line:
            raise PatchError("a link or a submodule is not made by a change", where=self.header[:80] or line[:80])
        self.created |= line.startswith("new file mode ")
        self.deleted |= line.startswith("deleted file mode ")
        self.mode_only |= line.startswith("new mode ")
        if found := _INDEX.match(line):
            self.blob = found[1]
        if line.startswith("rename from "):
            self.renamed = (_name(line[12:]), self.renamed[1])
        elif line.startswith("rename to "):
            self.renamed = (self.renamed[0], _name(line[10:]))

    def read_hunk(self, lines: list[str], at: int, header: str, fenced: bool) -> int:
        """Read the lines of a hunk from `at`; returns where they end."""
        hunk, end = _read_hunk(lines, at, header, fenced)
        if hunk.before or hunk.after:
            self.hunks.append(hunk)
        return end

    def change(self) -> FileChange:
        path = self._path()
        hunks = tuple(self.hunks)
        if all(self.renamed):
            return FileChange(self.renamed[1], "rename", "diff", hunks, source=self.renamed[0], made_from=self.blob)
        if self.created or self.old == _NOWHERE:
            if len(hunks) > 1 or any(line for hunk in hunks for line in hunk.before):
                raise PatchError(f"a new file has lines with `+` only: {path}", where="the diff")
            text = joined(hunks[0].after, final_newline=hunks[0].final_newline is not False) if hunks else ""
            return FileChange(path, "create", "diff", text=text)
        if self.deleted or self.new == _NOWHERE:
            return FileChange(path, "delete", "diff", hunks)
        if not hunks:
            why = "it changes the mode alone" if self.mode_only else "it has no line with + or -"
            raise PatchError(f"the diff of {path or 'a file'} changes no text: {why}", where="the diff")
        return FileChange(path, "edit", "diff", hunks, made_from=self.blob)

    def _path(self) -> str:
        if not self.new:
            names = self.header.removeprefix("diff --git ")
            half = names[: len(names) // 2]
            self.old, self.new = _name(half), _name(names[len(half) + 1 :])
            if not names:
                return ""
        git = bool(self.header)
        if self.old == _NOWHERE:
            return self.new.removeprefix("b/") if git or self.new.startswith("b/") else self.new.removeprefix("./")
        if self.new == _NOWHERE:
            return self.old.removeprefix("a/") if git or self.old.startswith("a/") else self.old.removeprefix("./")
        if self.old == self.new or self.old == f"{self.new}.orig":
            return self.new.removeprefix("./")
        (old, _, below_old), (new, _, below_new) = self.old.partition("/"), self.new.partition("/")
        if below_old and below_old == below_new and old != new:  # a/x b/x, and any other pair of prefixes
            return below_new
        if (old, new) in (("a", self.new), (self.old, "b")) or self.old.removeprefix("a/") == self.new:
            return self.new.removeprefix("b/")
        if all(self.renamed):
            return self.renamed[1]
        raise PatchError(
            f"the diff names two files, {self.old[:80]!r} and {self.new[:80]!r}", where="its --- and +++ lines",
            hint="write `rename from` and `rename to`, or name one file",
        )  # fmt: skip


def _read_hunk(lines: list[str], at: int, header: str, fenced: bool) -> tuple[Hunk, int]:
    range_ = _RANGE.fullmatch(header)
    start, size, _, new_size = (
        (1 if each is None else int(each) for each in range_.groups()[:4]) if range_ else (0,) * 4
    )
    heading = (range_[5] if range_ else header.strip("@ ")).strip()
    before: list[str] = []
    after: list[str] = []
    blanks = 0  # empty lines at the end are more likely the gap behind the diff than lines that lost their blank
    final: bool | None = None
    last = ""
    while at < len(lines):
        line = lines[at]
        full = range_ is not None and len(before) >= size and len(after) >= new_size
        if _ends(lines, at, full=full, fenced=fenced):
            break
        at += 1
        if line.startswith("\\"):
            final = last == "-"
            continue
        mark = line[:1]
        if mark not in (" ", "+", "-"):  # a context line that lost its blank
            mark, line = " ", f" {line}"
        last = mark
        blanks = blanks + 1 if line == " " and not lines[at - 1] else 0
        if mark != "+":
            before.append(line[1:])
        if mark != "-":
            after.append(line[1:])
    exact = range_ is not None and (len(before), len(after)) == (size, new_size)
    if blanks and not exact:
        del before[-blanks:], after[-blanks:]
        exact = range_ is not None and (len(before), len(after)) == (size, new_size)
    return Hunk(tuple(before), tuple(after), start if exact else None, heading, final), at


def _ends(lines: list[str], at: int, *, full: bool, fenced: bool) -> bool:
    """Whether the hunk ends before this line.  `full`: it has as many lines as its header says."""
    line = lines[at]
    if line.startswith(("diff --git ", "@@")) or (fence_of(line) and fenced):
        return True
    if _is_names(lines, at) and (full or (at + 2 < len(lines) and lines[at + 2].startswith("@@"))):
        return True
    if full and (line == "-- " or (not line and not fenced)):  # the signature of a mail; the prose behind
        return True
    return bool(line) and line[0] not in " +-\\\t" and not fenced
