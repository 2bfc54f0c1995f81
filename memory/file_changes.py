"""The changes of the user's own files that this program made, in order: what `undo` and `redo` go back and forth in.

One stack a state folder, for any number of processes.  A change is written down before its first file is touched, and
says of every file what it was and what it becomes, by the hash of the content.  So whoever was killed in between has
left each file in one of two known forms.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import sqlalchemy as sa

from memory import schema
from memory.ledger import Ledger

__all__ = ["ChangeState", "ChangedFile", "FileChange", "FileChanges"]

ChangeState = Literal["writing", "done", "undoing", "undone", "redoing", "left"]
"""Those in -ing are under way, or were cut off; `left`: undone, and something else was changed after that."""


@dataclass(frozen=True)
class ChangedFile:
    """`before` and `after` are references of artifacts, None where there is no file; `mode` the rights it had."""

    path: str
    before: str | None
    after: str | None
    mode: int = 0o644


@dataclass(frozen=True)
class FileChange:
    """One change: what made it, and the files below `root`."""

    id: str
    what: str
    root: str
    files: tuple[ChangedFile, ...]
    state: ChangeState
    at: float
    position: int


class FileChanges:
    def __init__(self, ledger: Ledger) -> None:
        self._database = ledger.database
        self._clock = ledger.clock

    def begin(self, name: str, what: str, root: str, files: Sequence[ChangedFile] = ()) -> FileChange:
        """Write down what is about to be changed; the same name again is the same change, gone on with.

        What was undone before it can no longer be redone.
        """
        table, now = schema.file_changes, self._clock()
        told = {"what": what, "root": root, "files": _as_json(files), "state": "writing", "updated_at": now}
        with self._database.write() as connection:
            row = connection.execute(sa.select(table).where(table.c.id == name)).one_or_none()
            if row is not None and _contents(_change(row).files) == _contents(files):
                told["files"] = row.files  # the rights of a file that is gone by now stand there
            connection.execute(
                sa.update(table)
                .where(table.c.state == "undone", table.c.id != name)
                .values(state="left", updated_at=now)
            )
            if row is None:
                connection.execute(sa.insert(table).values(id=name, at=now, **told))
            else:
                connection.execute(sa.update(table).where(table.c.id == name).values(**told))
            return _change(connection.execute(sa.select(table).where(table.c.id == name)).one())

    def extend(self, change: FileChange, file: ChangedFile) -> FileChange:
        """A further file of a change that is being made, written down before it is touched."""
        return self._set(change, files=_as_json((*change.files, file)))

    def retract(self, change: FileChange) -> FileChange:
        """The change as it was before a file that was not touched after all."""
        return self._set(change, files=_as_json(change.files))

    def mark(self, change: FileChange, state: ChangeState) -> FileChange:
        """The change in another state."""
        return self._set(change, state=state)

    def _set(self, change: FileChange, **values: str) -> FileChange:
        table = schema.file_changes
        with self._database.write() as connection:
            connection.execute(
                sa.update(table).where(table.c.id == change.id).values(updated_at=self._clock(), **values)
            )
            return _change(connection.execute(sa.select(table).where(table.c.id == change.id)).one())

    def all(self) -> list[FileChange]:
        """Every change, oldest first."""
        query = sa.select(schema.file_changes).order_by(schema.file_changes.c.position)
        with self._database.read() as connection:
            return [_change(row) for row in connection.execute(query)]

    def last_done(self) -> FileChange | None:
        """What `undo` takes back: the newest change that is not undone."""
        return next((one for one in reversed(self.all()) if one.files and one.state not in ("undone", "left")), None)

    def first_undone(self) -> FileChange | None:
        """What `redo` puts back: the oldest change that is undone, or was cut off on either way."""
        return next((one for one in self.all() if one.state in ("undone", "undoing", "redoing")), None)


def _contents(files: Sequence[ChangedFile]) -> list[tuple[str, str | None, str | None]]:
    return [(file.path, file.before, file.after) for file in files]


def _as_json(files: Sequence[ChangedFile]) -> str:
    return json.dumps([asdict(file) for file in files])


def _change(row: sa.Row[Any]) -> FileChange:
    fields = dict(row._mapping)
    files = tuple(ChangedFile(**file) for file in json.loads(fields["files"]))
    names = ("id", "what", "root", "state", "at", "position")
    return FileChange(files=files, **{name: fields[name] for name in names})
