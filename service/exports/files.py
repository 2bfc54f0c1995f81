"""A file that is written whole or not at all, and never over another one unless that was said."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from core.errors import ConfigError, StorageError

__all__ = ["write_new"]


def write_new(lines: Iterable[str], path: Path, *, force: bool = False) -> int:
    """Write the pieces of text to `path` (0600); answers how many characters.

    Raises ConfigError when it is there already and `force` was not said, StorageError when it cannot be written: then
    nothing is left.
    """
    _refuse(path, force)
    name = ""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="", errors="backslashreplace") as file:
            count = sum(file.write(line) for line in lines)
            file.flush()
            os.fsync(file.fileno())
        _put(Path(name), path, force)
    except OSError as error:
        raise StorageError(
            f"cannot write the export: {error.strerror}",
            where=str(path),
            hint="is there such a folder, and room in it?",
        ) from error
    finally:
        if name:
            Path(name).unlink(missing_ok=True)
    return count


def _put(made: Path, path: Path, force: bool) -> None:
    if not force:
        try:
            path.hardlink_to(made)
        except FileExistsError:  # somebody has made it since
            _refuse(path, force)
        except OSError:
            pass  # a file system without links
        else:
            return
    made.replace(path)


def _refuse(path: Path, force: bool) -> None:
    if path.is_dir():
        raise ConfigError(f"{path} is a folder", where="--out", hint="name a file in it")
    if not force and (path.exists() or path.is_symlink()):
        raise ConfigError(f"{path} is there already", where="--out", hint="--force writes over it")
