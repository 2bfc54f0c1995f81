"""Files written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from core.errors import StorageError

__all__ = ["write_atomically"]


def write_atomically(path: Path, content: str | bytes, *, mode: int = 0o600) -> None:
    """Replace `path` by a file holding `content` (text as UTF-8), with the rights `mode`.

    A link is followed.  Halves of characters are written as `\\udc80`.  Raises StorageError; the old file stays.
    """
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    try:
        path = path.resolve()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            Path(name).chmod(mode)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageError(
            f"cannot write the file: {error.strerror or error}", where=str(path), hint="check the folder and its space"
        ) from error
