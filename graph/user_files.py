"""The user's own files, changed so that it can be taken back: written down first, undone and redone by their hashes.

A file that is neither what it was nor what this program made of it belongs to whoever changed it: it is named, and
nothing at all is written.  Killed at any point, the same call goes on.  Nothing is ever run again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.errors import DeliveryError, NotFoundError, RatchetError
from memory.file_changes import ChangedFile, ChangeState, FileChange, FileChanges
from memory.ledger import Ledger
from memory.state_folder import StateFolder
from runtime.delivery import Replacement, as_files, changed_since, replace_files

__all__ = ["FileByFile", "UserFiles"]

LEASE = "a change of your files"
SHOWN = 8


class FileByFile:
    """The change of one command, file by file."""

    def __init__(self, files: UserFiles, what: str) -> None:
        self._files = files
        self._what = what
        self._change: FileChange | None = None

    def write(self, path: Path, before: bytes, after: bytes, work: Callable[[], None]) -> None:
        """Let `work` write the file, written down before.  Raises what it raises, and BusyError."""
        with self._files.turn():
            if self._change is None:
                name = f"{self._what}:{uuid.uuid4().hex}"
                self._change = self._files.changes.begin(name, self._what, "/")
            kept = self._files.kept(Path("/"), str(path.resolve().relative_to("/")), before, after)
            before_it = self._change
            self._change = self._files.changes.extend(self._change, kept)
            try:
                work()
            except RatchetError:  # it was not written
                self._change = self._files.changes.retract(before_it)
                raise

    def end(self) -> None:
        if self._change is not None:
            self._change = self._files.changes.mark(self._change, "done")


class UserFiles:
    """The files of the user that one state folder knows to have changed."""

    def __init__(self, folder: StateFolder, ledger: Ledger) -> None:
        self._artifacts = folder.artifacts
        self._ledger = ledger
        self.changes = FileChanges(ledger)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One process at a time writes.  Raises BusyError while another does."""
        with self._ledger.leases.held(LEASE):
            yield

    def replace(
        self, name: str, what: str, root: Path, replacements: Sequence[Replacement], backups: Path
    ) -> list[tuple[Path, Path]]:
        """`as_files`, as a change that can be undone."""
        with self.turn():
            files = [self.kept(root, each.path, each.before, each.after) for each in replacements]
            change = self.changes.begin(name, what, str(root), files)
            try:
                kept = as_files(root, replacements, backups)
            except DeliveryError:
                if not changed_since(root, [Replacement(each.path, each.before, each.before) for each in replacements]):
                    self.changes.mark(change, "left")  # nothing was written
                raise
            self.changes.mark(change, "done")
            return kept

    @contextmanager
    def one_by_one(self, what: str) -> Iterator[FileByFile]:
        """A change whose files come one after the other; nothing is written down while there is none."""
        told = FileByFile(self, what)
        try:
            yield told
        finally:
            told.end()

    def undo(self) -> FileChange:
        """Take the last change back.

        Raises NotFoundError when there is none, DeliveryError when a file of it was changed since, BusyError,
        StorageError.
        """
        with self.turn():
            change = self.changes.last_done()
            if change is None:
                raise NotFoundError(
                    "there is no change of your files to undo",
                    where=self._ledger.database.where,
                    hint="`deliver --apply` and `feedback --write` make such changes; `undo --list` has them all",
                )
            return self._turned(change, "undoing", "undone")

    def since(self, at: float) -> list[FileChange]:
        """The changes that were made after that moment (UTC seconds) and stand, newest first."""
        standing = [one for one in self.changes.all() if one.files and one.state not in ("undone", "left")]
        return [one for one in reversed(standing) if one.at > at]

    def redo(self) -> FileChange:
        """Put the change that was undone last back.  Raises as `undo`."""
        with self.turn():
            change = self.changes.first_undone()
            if change is None:
                raise NotFoundError(
                    "there is nothing to redo",
                    where=self._ledger.database.where,
                    hint="only what was undone, with no change of your files after it",
                )
            return self._turned(change, "redoing", "done")

    def _turned(self, change: FileChange, by_way_of: ChangeState, into: ChangeState) -> FileChange:
        root = Path(change.root)
        plan = [self._step(file, back=into == "undone") for file in change.files]
        if changed := changed_since(root, plan):
            raise _not_ours(change, changed, into)
        before = change.state
        self.changes.mark(change, by_way_of)
        try:
            replace_files(root, plan)
        except DeliveryError:  # somebody wrote at this very moment: what was written goes back
            replace_files(root, [_reversed(each) for each in plan if not changed_since(root, [each])])
            self.changes.mark(change, before)
            raise
        return self.changes.mark(change, into)

    def _step(self, file: ChangedFile, *, back: bool) -> Replacement:
        old, new = (None if one is None else self._artifacts.get(one) for one in (file.before, file.after))
        return Replacement(file.path, new, old, file.mode) if back else Replacement(file.path, old, new, file.mode)

    def kept(self, root: Path, path: str, before: bytes | None, after: bytes | None) -> ChangedFile:
        """Both contents kept, and the rights of the file."""
        old, new = (None if one is None else self._artifacts.put(one) for one in (before, after))
        try:
            mode = (root / path).stat().st_mode & 0o777
        except OSError:
            mode = 0o644
        return ChangedFile(path, old, new, mode)


def _reversed(each: Replacement) -> Replacement:
    return Replacement(each.path, each.after, each.before, each.mode)


def _not_ours(change: FileChange, changed: Sequence[str], into: ChangeState) -> DeliveryError:
    word = "undone" if into == "undone" else "redone"
    more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
    names = ", ".join(f"{change.root.rstrip('/')}/{path}" for path in changed[:SHOWN])
    return DeliveryError(
        f"changed by somebody since: {names}{more}; nothing was {word}",
        where=f"change {change.position}, by {change.what}",
        hint="bring these files to what the change had made of them (or to what they were), and give the command again",
    )
