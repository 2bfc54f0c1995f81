"""Files in a directory that the job writes to as well: nothing is followed, nothing is taken on trust."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping

TYPE_CHECKING = False  # importing typing costs a tenth of the start
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Reserved", "create", "read_regular", "remove", "write_json"]


def create(directory: int, name: str, flags: int = os.O_WRONLY) -> int:
    """A new, empty, private file `name`, in place of whatever had that name.  Returns its descriptor."""
    remove(directory, name)
    return os.open(name, flags | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=directory)


def remove(directory: int, name: str) -> None:
    """`name` is free afterwards; a directory of that name is set aside, not deleted."""
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        pass
    except OSError:  # Linux answers EISDIR, macOS EPERM
        os.rename(name, f"{name}.aside-{os.getpid()}", src_dir_fd=directory, dst_dir_fd=directory)


def read_regular(directory: int, name: str, limit_bytes: int) -> bytes | None:
    """The content of a regular file; None when there is none.

    Raises ValueError when it is a link, a pipe or a directory, or larger than `limit_bytes`.
    """
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(f"{name} cannot be read: {error.strerror}") from error
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError(f"{name} is not a regular file")
        content = file.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise ValueError(f"{name} is larger than {limit_bytes} bytes")
    return content


class Reserved:
    """A file whose space is taken at the start, so that a full disk cannot lose what it is for."""

    def __init__(self, directory: int, name: str, size_bytes: int) -> None:
        self._directory = directory
        self._name = name
        self._descriptor = create(directory, self._waiting)
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._descriptor, 0, size_bytes)
        else:
            os.write(self._descriptor, bytes(size_bytes))

    @property
    def _waiting(self) -> str:
        return f"{self._name}.waiting"

    def publish(self, value: Mapping[str, Any]) -> None:
        """The file appears under its name, whole and on the disk."""
        content = encode(value)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        write_all(self._descriptor, content)
        os.ftruncate(self._descriptor, len(content))
        os.fsync(self._descriptor)
        if not self._still_there():  # the job took it away
            write_json(self._directory, self._name, value)
            return
        _rename(self._directory, self._waiting, self._name)
        os.fsync(self._directory)

    def _still_there(self) -> bool:
        try:
            found = os.stat(self._waiting, dir_fd=self._directory, follow_symlinks=False)
        except OSError:
            return False
        return os.path.samestat(found, os.fstat(self._descriptor))


def write_json(directory: int, name: str, value: Mapping[str, Any], *, durable: bool = True) -> None:
    """`value` as the file `name`, whole or not at all; when `durable`, on the disk when this returns."""
    descriptor = create(directory, f"{name}.new")
    try:
        write_all(descriptor, encode(value))
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    _rename(directory, f"{name}.new", name)
    if durable:
        os.fsync(directory)


def encode(value: Mapping[str, Any]) -> bytes:
    """JSON for files; a name that is not Unicode (a stray surrogate) is written with its escape."""
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "backslashreplace")


def write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _rename(directory: int, name: str, to: str) -> None:
    try:
        os.replace(name, to, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError:  # a directory stands in its place
        remove(directory, to)
        os.replace(name, to, src_dir_fd=directory, dst_dir_fd=directory)
