"""A SQLite file: made private, checked before use, set aside when damaged; and what its errors mean.

A file is damaged only when SQLite says so by its code (SQLITE_CORRUPT, SQLITE_NOTADB) or its check finds a fault.  A
full disk, a lock or a missing right is none: on a full disk a sound file in WAL mode cannot even be opened.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from core.errors import BusyError, StorageError

__all__ = ["BUSY_TIMEOUT_MS", "damage", "prepare", "set_aside", "storage_error"]

BUSY_TIMEOUT_MS = 10_000
NEARLY_FULL_BYTES = 64 * 1024
"""SQLite needs about this much to open a file in WAL mode."""


def prepare(path: Path, what: str) -> None:
    """Make the file, private to the user, before SQLite opens it.  Raises StorageError.

    One that is there is not opened: closing it again would drop the locks that other connections of this process hold
    on it (fcntl's rule), and the next process to leave would then take the -wal away under them.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        if path.is_dir() or not os.access(path, os.R_OK | os.W_OK):
            raise OSError(errno.EISDIR if path.is_dir() else errno.EACCES, "it may not be read and written")
    except OSError as error:
        raise StorageError(
            f"cannot open the {what}: {error.strerror}",
            where=str(path),
            hint="check the folder, or choose another --home",
        ) from error


def damage(path: Path) -> str:
    """What SQLite finds wrong with the file, which is only read; empty when it is whole or cannot be read now."""
    if path.stat().st_size == 0:
        return ""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_MS / 1000)
        try:
            answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        return str(error) if _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) else ""
    return "" if answer == "ok" else str(answer)


def set_aside(path: Path) -> Path:
    """Rename the file with its -wal and -shm to the first free `.damaged-<n>`; nothing is overwritten."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for suffix in ("-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return path.rename(aside)


def storage_error(error: sqlite3.Error, path: Path, what: str) -> StorageError | BusyError:
    """An error of SQLite as ours; `what` is the file's name for a person, such as `ledger`."""
    code = _code(error)
    if code == sqlite3.SQLITE_FULL or (
        code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and _space_bytes(path) < NEARLY_FULL_BYTES
    ):
        return StorageError(
            "the disk is full; what was acknowledged is kept",
            where=str(path),
            hint="free some space, then `python run_graph.py resume`",
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return BusyError(f"the {what} stayed locked for {BUSY_TIMEOUT_MS // 1000} s", where=str(path), hint="try again")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StorageError(
            f"the {what} is damaged: {error}",
            where=str(path),
            hint="`python run_graph.py resume` sets it aside and says how to recover it",
        )
    return StorageError(
        f"the {what} does not answer: {error}", where=str(path), hint="check the disk and the rights of the folder"
    )


def _code(error: sqlite3.Error) -> int:
    """The primary result code; the upper bits only refine it."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _space_bytes(path: Path) -> int:
    try:
        space = os.statvfs(path.parent)
    except OSError:
        return NEARLY_FULL_BYTES
    return space.f_bavail * space.f_frsize
