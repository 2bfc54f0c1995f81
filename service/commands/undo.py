"""`undo` and `redo`: the last change of your files that this program made, taken back or put back."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from service.escape import escaped
from service.output import Output
from service.state import open_folder, settings_of
from service.tables import columns

if TYPE_CHECKING:
    from graph.user_files import UserFiles
    from memory.file_changes import FileChange
    from memory.ledger import Ledger

__all__ = ["redo", "undo"]

SAID = {"done": "done", "undone": "undone", "left": "undone, for good"}


def undo(args: argparse.Namespace, output: Output) -> int:
    """`undo [--list]`"""
    if args.list:
        return _list(args, output)
    return _turn(args, output, back=True)


def redo(args: argparse.Namespace, output: Output) -> int:
    """`redo`"""
    return _turn(args, output, back=False)


def _turn(args: argparse.Namespace, output: Output, *, back: bool) -> int:
    from graph.user_files import UserFiles

    folder = open_folder(args, must_exist=True)
    with folder.open_ledger() as ledger:
        files = UserFiles(folder, ledger)
        _may(args, ledger, files.changes.last_done() if back else files.changes.first_undone())
        change = files.undo() if back else files.redo()
    word = "undone" if back else "done again"
    told = {"state": change.state, **_told(change)}
    lines = [f"{word}: {escaped(change.what)}, {_count(change)}", *(f"  {escaped(path)}" for path in _paths(change))]
    output.result(told, "\n".join(lines))
    return 0


def _may(args: argparse.Namespace, ledger: Ledger, change: FileChange | None) -> None:
    """Leave to write into files of the project.  Raises PolicyError."""
    from core.policy import Action
    from service.policy import Gate, ask_locally

    if change is None:
        return
    details = {"command": args.command, "change": change.what, "files": _paths(change)[:50]}
    # what comes back has stood there before
    facts: dict[str, Any] = {"change_count": len(change.files), "risk_level": "low", "verified": True}
    ask_locally(Gate.of(settings_of(args), ledger), Action.CODE_APPLY, **facts, details=details)


def _list(args: argparse.Namespace, output: Output) -> int:
    from graph.user_files import UserFiles

    folder = open_folder(args, must_exist=True)
    with folder.open_ledger() as ledger:
        files: UserFiles = UserFiles(folder, ledger)
        changes = [one for one in files.changes.all() if one.files]
        following = files.changes.last_done()
    rows = [{"change": one.position, "at": one.at, "state": one.state, **_told(one)} for one in changes]
    told = {"changes": rows, "undo": following.position if following else None}
    cells = [
        (
            one.position,
            time.strftime("%Y-%m-%d %H:%M", time.localtime(one.at)),
            SAID.get(one.state, f"{one.state}, cut off"),
            one.what,
            ", ".join(_paths(one)),
        )
        for one in changes
    ]
    text = columns(cells, ("change", "at", "state", "by", "files")) if cells else "no file of yours was changed yet"
    output.result(told, text)
    return 0


def _told(change: FileChange) -> dict[str, Any]:
    return {"by": change.what, "root": change.root, "files": [file.path for file in change.files]}


def _paths(change: FileChange) -> list[str]:
    return [f"{change.root.rstrip('/')}/{file.path}" for file in change.files]


def _count(change: FileChange) -> str:
    return "1 file" if len(change.files) == 1 else f"{len(change.files)} files"
