"""Files of the user's working tree replaced, because they asked for it: each whole or not at all, each kept before.

All files are looked at before the first is written.  A kill in between leaves some replaced and some not; the same
call then goes on, because a file that is what it is to become counts as done.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import DeliveryError, StorageError
from core.records import lies_below

__all__ = ["Replacement", "as_files", "changed_since", "put_file", "read_file", "replace_files"]

BESIDE = ".ratchet-new"
"""Ends the name of a file that is being written."""


@dataclass(frozen=True)
class Replacement:
    """`before` is what must stand there, `after` what it becomes; None where there is no file.

    `mode`: the rights of a file that is made; one that is there keeps its own.
    """

    path: str
    before: bytes | None
    after: bytes | None
    mode: int = 0o644


def as_files(root: Path, replacements: Sequence[Replacement], backups: Path) -> list[tuple[Path, Path]]:
    """Replace the files below `root`; answers (file, its copy in `backups`) for each that stood there.

    Raises DeliveryError, before anything is written, when a file is neither what it was nor what it becomes, and for
    links; StorageError when a file cannot be written.
    """
    root = root.resolve()
    if changed := changed_since(root, replacements):
        raise DeliveryError(
            f"changed since: {', '.join(changed[:8])}", where=str(root), hint="nothing was written; try again"
        )
    kept = []
    try:
        for each in replacements:
            if each.before is not None:
                copy = backups / each.path
                copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                put_file(copy, each.before, 0o600)
                kept.append((root / each.path, copy))
    except OSError as error:
        raise _cannot_write(error, root) from error
    replace_files(root, replacements)
    return kept


def replace_files(root: Path, replacements: Sequence[Replacement]) -> None:
    """Replace the files below `root`, which has no links in it, without keeping them.

    Raises DeliveryError when one is neither what it was nor what it becomes, StorageError; some are then replaced.
    """
    try:
        for each in replacements:
            _replace(root, each)
    except OSError as error:
        raise _cannot_write(error, root) from error


def changed_since(root: Path, replacements: Sequence[Replacement]) -> list[str]:
    """The paths at which there stands neither what was there nor what comes there.  Raises DeliveryError for links."""
    return [each.path for each in replacements if read_file(root, each.path) not in (each.before, each.after)]


def read_file(root: Path, path: str) -> bytes | None:
    """The bytes of a plain file below `root`; None where there is nothing.  Raises DeliveryError for anything else."""
    file = root / path
    if not lies_below(path):
        raise DeliveryError(f"{path!r} is not below the folder of the code", where=str(root))
    within = [parent for parent in file.parents if parent.is_relative_to(root) and parent != root]
    if file.is_symlink() or any(parent.is_symlink() for parent in within):
        raise DeliveryError(f"{path} is a link, or lies behind one", where=str(root), hint="take the diff: --diff FILE")
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DeliveryError(f"{path} cannot be read: {error.strerror}", where=str(root)) from error


def put_file(path: Path, content: bytes, mode: int) -> None:
    """`content` at `path` with the rights `mode`, in one step and on the disk.  Raises OSError.

    What a killed process left half written has the same name, and is written over.
    """
    beside = _beside(path)
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        beside.chmod(mode)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name[:80]}{BESIDE}")


def _replace(root: Path, each: Replacement) -> None:
    file = root / each.path
    now = read_file(root, each.path)
    if now == each.after:
        _beside(file).unlink(missing_ok=True)  # half of another way, that somebody killed has left
        return
    if now != each.before:
        raise DeliveryError(
            f"{each.path} was changed while the files were written",
            where=str(root),
            hint="give the same command again: what was not yet written is looked at anew",
        )
    if each.after is None:
        file.unlink()
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    put_file(file, each.after, file.stat().st_mode & 0o777 if now is not None else each.mode)


def _cannot_write(error: OSError, root: Path) -> StorageError:
    return StorageError(
        f"cannot write: {error.strerror or error}",
        where=error.filename or str(root),
        hint="give the same command again: it goes on where it stopped, and the old files are kept",
    )
