"""Files written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from core.errors import StorageError

__all__ = ["write_atomically", "write_private"]


def write_atomically(path: Path, content: str | bytes, *, mode: int = 0o600) -> None:
    """Replace `path` by a file holding `content`, with the rights `mode`; it outlives a loss of power.

    A link is followed.  Raises StorageError; the old file stays.
    """
    try:
        _replace(path.resolve(), _bytes(content), mode, durable=True)
    except OSError as error:
        raise StorageError(
            f"cannot write the file: {error.strerror or error}", where=str(path), hint="check the folder and its space"
        ) from error


def write_private(path: Path, text: str) -> None:
    """`text` in the file at `path` (0600, its folder 0700 when made), in one step; for files that can be made again.

    A link is replaced.  Raises StorageError; the old file stays.
    """
    try:
        _replace(path, _bytes(text), 0o600, durable=False)
    except OSError as error:
        raise StorageError(
            f"cannot write {path.name}: {error.strerror}", where=str(path), hint="is the disk full, or read-only?"
        ) from error


def _bytes(content: str | bytes) -> bytes:
    """Text as UTF-8; halves of characters, which it has no bytes for, as `\\udc80`."""
    return content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content


def _replace(path: Path, data: bytes, mode: int, *, durable: bool) -> None:
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(descriptor)
        if mode != 0o600:  # which is what mkstemp gives
            Path(name).chmod(mode)
        os.replace(name, path)  # noqa: PTH105  # pathlib would parse both again; this is on the path of every config
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
