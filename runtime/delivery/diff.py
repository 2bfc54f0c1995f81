"""The diff as a file of its own."""

from __future__ import annotations

from pathlib import Path

from core.errors import StorageError
from runtime.delivery.files import put_file

__all__ = ["as_diff"]


def as_diff(diff: str, path: Path) -> Path:
    """Write the diff to `path`, whole or not at all; answers where it is.  Raises StorageError."""
    try:
        path = path.resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        put_file(path, diff.encode("utf-8"), path.stat().st_mode & 0o777 if path.exists() else 0o644)
    except OSError as error:
        raise StorageError(
            f"cannot write the diff: {error.strerror or error}", where=str(path), hint="choose another place for --diff"
        ) from error
    return path
