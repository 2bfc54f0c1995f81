"""The journal of an episode that is under way: lines appended by any thread of any process, cheap and never lost.

Every line begins with its newline, so one that a kill or a full disk has torn spoils no other.  A line is in the hands
of the system when `append` returns: a killed process loses none of it, a power cut may.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import StorageError

__all__ = ["Journal", "SealedError", "content_of", "read_lines", "sealing"]

MAX_BYTES = 256_000_000
"""Of one file that is read."""


class SealedError(Exception):
    """The episode was made whole meanwhile; nothing can be appended."""


class Journal:
    """One open journal.  Appending waits for whoever seals it, in this process or another, and then fails."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._closed = False

    @classmethod
    def create(cls, path: Path) -> Journal:
        """An empty one.  Raises StorageError."""
        return cls(path, _opened(path, os.O_CREAT | os.O_TRUNC))

    @classmethod
    def join(cls, path: Path) -> Journal:
        """One that another process, or a parent of this one, has created.  Raises SealedError when it is gone."""
        try:
            return cls(path, _opened(path, 0))
        except FileNotFoundError:
            raise SealedError from None

    def append(self, line: bytes) -> None:
        """Add one line.  Raises SealedError, and StorageError when the disk is full."""
        with self._lock:
            if self._closed:
                raise SealedError
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)
            try:
                if os.fstat(self._descriptor).st_nlink == 0:
                    raise SealedError
                written = os.write(self._descriptor, b"\n" + line)
            except OSError as error:
                raise _storage_error(self.path, error) from error
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            if written <= len(line):
                raise StorageError(
                    f"cannot write {self.path.name}: only a part of a line fitted",
                    where=str(self.path),
                    hint="is the disk full?",
                )

    def close(self) -> None:
        """Let go of the file; the journal stays."""
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._descriptor)

    def after_fork(self) -> None:
        """In a child: a lock of its own, and an open file of its own, as locks belong to open files."""
        self._lock = threading.Lock()
        if self._closed:
            return
        old = self._descriptor
        try:
            self._descriptor = _opened(self.path, 0)
        except (OSError, StorageError):
            self._closed = True
        os.close(old)


@contextmanager
def sealing(path: Path) -> Iterator[list[bytes]]:
    """The lines of a journal while nobody can append; it is removed at the end, unless that raises."""
    try:
        descriptor = _opened(path, 0)
    except FileNotFoundError:
        yield []
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            yield read_lines(path)
            path.unlink(missing_ok=True)
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def read_lines(path: Path) -> list[bytes]:
    """The lines so far; none when there is no journal."""
    try:
        return [line for line in content_of(path).split(b"\n") if line]
    except FileNotFoundError:
        return []


def content_of(path: Path) -> bytes:
    """The bytes of a plain file: no link is followed, nothing waits for a pipe.  Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        told = os.fstat(descriptor)
        if not stat.S_ISREG(told.st_mode):
            raise OSError(errno.EINVAL, "it is no plain file")
        if told.st_size > MAX_BYTES:
            raise OSError(errno.EFBIG, f"its {told.st_size} bytes are too many for an episode")
        return file.read()


def _opened(path: Path, flags: int) -> int:
    """Raises FileNotFoundError without O_CREAT, StorageError for every other trouble."""
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | flags, 0o600)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _storage_error(path, error) from error


def _storage_error(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"cannot write {path.name}: {error.strerror or error}", where=str(path), hint="is the disk full, or read-only?"
    )
