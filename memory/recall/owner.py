"""Who may write the index: one process, the holder of a file lock, which ends with the process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

__all__ = ["OwnerLock"]


class OwnerLock:
    """The lock of a folder, held by one open file of one process until `release` or the process's end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, path: Path) -> OwnerLock | None:
        """The lock, or None when another holds it.  Never waits."""
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return None
            except BaseException:
                os.close(descriptor)
                raise
            if _is_file(descriptor, path):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
                return cls(descriptor)
            os.close(descriptor)  # somebody deleted the file between opening and locking: lock the new one

    @staticmethod
    def holder(path: Path) -> str:
        """The pid that the last holder wrote; for messages only."""
        try:
            return path.read_text().strip() or "unknown"
        except OSError:
            return "unknown"

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _is_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
