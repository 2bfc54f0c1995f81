"""The tree of a candidate: the base with some files changed, the rest of it shared by hard links."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from core.errors import StorageError
from runtime.workspaces.base import Base

__all__ = ["lay_out"]


def lay_out(base: Base, changed: Mapping[str, str | None], target: Path) -> Path:
    """Make the tree in `target`, anew if something is there: `changed` by path, None for a file that goes.

    Unchanged files are links to those of the base: whoever runs something there must not let it write.
    Raises StorageError.
    """
    try:
        if target.exists():
            shutil.rmtree(target)
        for path in base.hashes:
            if path not in changed:
                _link(base.tree / path, target / path)
        for path, text in changed.items():
            if text is not None:
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                (target / path).write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise StorageError(
            f"cannot lay out the candidate's files: {error.strerror or error}",
            where=str(target),
            hint="is the disk full?",
        ) from error
    return target


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            raise
        shutil.copy2(source, target)
