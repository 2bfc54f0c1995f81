"""Files of ours: whole or not at all, readable by their owner only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from core.errors import StorageError

__all__ = ["write_private"]


def write_private(path: Path, text: str) -> None:
    """`text` in the file at `path` (0600, its folder 0700 when made), in one step.  Raises StorageError."""
    name = ""
    try:
        try:
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)  # noqa: PTH105  # pathlib would parse both again; this is on the path of every config
    except OSError as error:
        if name:
            Path(name).unlink(missing_ok=True)
        raise StorageError(
            f"cannot write {path.name}: {error.strerror}", where=str(path), hint="is the disk full, or read-only?"
        ) from error
