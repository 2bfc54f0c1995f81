"""Changes applied to files: which files come of it, how each hunk found its place, and what was refused why.

A proposal is applied whole or not at all, unless the caller wants what fits.  A place that is not sure is refused,
never guessed; a Python file that parsed must parse afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agents.code.blobs import is_blob
from agents.code.changes import FileChange, Hunk
from agents.code.content import Content
from agents.code.elision import elision_among, hollowed, pieces
from agents.code.lines import bare_lines, squeezed
from agents.code.paths import Allowed, allows, path_fault
from agents.code.placing import How, find_place
from agents.code.rewriting import DoesNotFitError
from agents.code.syntax import same_code, syntax_fault

__all__ = ["Applied", "Placement", "Rejection", "apply_changes"]

MOST_REJECTED = 20
"""After so many refusals the rest of a proposal is not tried."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Hunk number `hunk` of a file (from 0) was carried out from `line` (from 1).

    `similarity` in 0 … 1 is that of its quote to what stood there.
    """

    path: str
    hunk: int
    how: How
    line: int
    similarity: float = 1.0


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a hunk (or with None: the change of the file) was refused, as half a sentence."""

    path: str
    hunk: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a proposal.

    `files` holds only what changed, `deleted` what is gone.  `cosmetic` names the changed files whose code is the same
    (comments, layout).  `noop`: no file's code changed.
    """

    files: dict[str, str]
    deleted: tuple[str, ...]
    placed: tuple[Placement, ...]
    rejected: tuple[Rejection, ...]
    cosmetic: tuple[str, ...]

    @property
    def noop(self) -> bool:
        return not self.deleted and set(self.files) <= set(self.cosmetic)

    def over(self, files: Mapping[str, str]) -> dict[str, str]:
        """All files after the change, given all files before it."""
        return {path: text for path, text in {**files, **self.files}.items() if path not in self.deleted}


def apply_changes(
    files: Mapping[str, str],
    changes: Iterable[FileChange],
    allowed: Allowed = None,
    *,
    partial: bool = False,
    overwrite: bool = False,
) -> Applied:
    """`files` (text by path) with the changes carried out, in order.

    Touches only paths that are safe and that `allowed` lets through.  With `partial`, hunks that fit are kept where
    others are refused.  With `overwrite`, a definition is replaced by its name also where its quote shows other code.
    """
    work = _Work(files, allowed if callable(allowed) or allowed is None else tuple(allowed), overwrite)
    for change in changes:
        if len(work.rejected) < MOST_REJECTED:
            work.carry_out(change)
    work.restore_broken()
    if work.rejected and not partial:
        return Applied({}, (), (), tuple(work.rejected), ())
    changed = {path: text for path, text in work.now.items() if files.get(path) != text}
    return Applied(
        files=changed,
        deleted=tuple(sorted(set(files) - set(work.now))),
        placed=tuple(work.placed),
        rejected=tuple(work.rejected),
        cosmetic=tuple(path for path, text in changed.items() if path in files and same_code(path, files[path], text)),
    )


class _Work:
    def __init__(self, files: Mapping[str, str], allowed: Allowed, overwrite: bool) -> None:
        self.files, self.now = files, dict(files)
        self.allowed, self.overwrite = allowed, overwrite
        self.placed: list[Placement] = []
        self.rejected: list[Rejection] = []
        self.renamed: dict[str, str] = {}

    def carry_out(self, change: FileChange) -> None:
        path = change.path or self._only_file()
        source = change.source or path
        if fault := self._path_fault(path) or self._path_fault(source) or self._conflict(change, source, path):
            self.rejected.append(Rejection(path, None, fault))
        elif change.action in ("create", "write"):
            self._write(path, change)
        elif change.action == "delete":
            self._delete(path, change)
        else:
            self._edit(path, source, change)

    def restore_broken(self) -> None:
        """Give up the changes of Python files that parsed before (or are new) and do not parse now."""
        for path, text in list(self.now.items()):
            before = self.files.get(path)
            if text == before or (before is not None and syntax_fault(path, before)):
                continue
            if fault := syntax_fault(path, text):
                self.rejected.append(Rejection(path, None, f"it would not parse: {fault}"))
                self.placed = [each for each in self.placed if each.path != path]
                del self.now[path]
                origin = self.renamed.get(path, path)
                if origin in self.files:
                    self.now[origin] = self.files[origin]

    def _only_file(self) -> str:
        may = [path for path in self.now if not path_fault(path) and allows(self.allowed, path)]
        return may[0] if len(may) == 1 else ""

    def _path_fault(self, path: str) -> str:
        if not path:
            return "it names no file, and there is not just one that may be changed"
        return path_fault(path) or ("" if allows(self.allowed, path) else "this file may not be changed")

    def _conflict(self, change: FileChange, source: str, path: str) -> str:
        """Why the change does not go with the files that there are."""
        there = path in self.now
        if change.action not in ("create", "write") and source not in self.now:
            return "there is no such file" if source == path else f"there is no file {source}"
        if there and change.action in ("create", "rename"):
            return "the file exists already"
        folders = {path[:at] for at, char in enumerate(path) if char == "/"}
        if folders & set(self.now) or (not there and any(each.startswith(f"{path}/") for each in self.now)):
            return "one path cannot be both a file and a folder"
        return ""

    def _write(self, path: str, change: FileChange) -> None:
        old = self.now.get(path)
        lines, known = bare_lines(change.text), bare_lines(old or "")
        if out := elision_among(lines, known):
            self.rejected.append(Rejection(path, None, f"{out[:80]!r} stands for code that is left out"))
        elif old is not None and (name := hollowed(path, old, change.text)):
            self.rejected.append(Rejection(path, None, f"the body of {name} is left out"))
        else:
            self.now[path] = change.text if old is None else Content.of(old).with_text(change.text)
            self.placed.append(Placement(path, 0, "whole", 1))

    def _delete(self, path: str, change: FileChange) -> None:
        removed = [squeezed(line) for hunk in change.hunks for line in hunk.before]
        there = [squeezed(line) for line in bare_lines(self.now[path])]
        if removed and [line for line in removed if line] != [line for line in there if line]:
            self.rejected.append(Rejection(path, None, "the file to delete holds other lines than the diff removes"))
            return
        del self.now[path]
        self.placed.append(Placement(path, 0, "whole", 1))

    def _edit(self, path: str, source: str, change: FileChange) -> None:
        content, drift, refused = Content.of(self.now[source]), 0, len(self.rejected)
        numbers_count = is_blob(self.now[source], change.made_from)
        for number, hunk in enumerate(change.hunks):
            if len(self.rejected) >= MOST_REJECTED:
                break
            stated = hunk.line - 1 + drift if numbers_count and hunk.line is not None else None
            for piece in pieces(hunk):
                try:
                    content, grown = self._hunk(path, number, piece, content, stated if piece is hunk else None)
                except DoesNotFitError as reason:
                    self.rejected.append(Rejection(path, number, str(reason)))
                    break
                drift += grown
        if source != path and len(self.rejected) > refused:
            return  # half a rename is none
        del self.now[source]
        self.now[path] = content.text
        if source != path:
            self.renamed[path] = source

    def _hunk(self, path: str, number: int, hunk: Hunk, content: Content, stated: int | None) -> tuple[Content, int]:
        """The content after one hunk, and by how many lines it has grown."""
        if hunk.before == hunk.after and hunk.final_newline is None:
            return content, 0
        if out := elision_among(hunk.after, (*hunk.before, *content.lines)):
            raise DoesNotFitError(f"{out[:80]!r} stands for code that is left out")
        place = find_place(hunk, content.lines, stated=stated, overwrite=self.overwrite)
        self.placed.append(Placement(path, number, place.how, place.start + 1, place.similarity))
        ends = place.end == len(content.lines)
        lines = [*content.lines[: place.start], *place.new, *content.lines[place.end :]]
        final = hunk.final_newline if ends and hunk.final_newline is not None else content.final_newline
        return content.with_lines(lines, final), len(lines) - len(content.lines)
