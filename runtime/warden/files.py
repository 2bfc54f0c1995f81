"""Files put into the working directory, and results taken out of it.

The command owns that directory, so nothing in it is trusted: every component of a path is opened without following a
link, only plain files with one name are taken, and never more than was agreed.  It is called once all is dead.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence

__all__ = ["Collected", "copy_tree", "is_directory", "put", "take", "usage"]

CHUNK_BYTES = 1 << 20
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
Collected = tuple[dict[str, bytes], dict[str, str]]
"""Path → content of what was taken, and path → why of what was not."""


def put(root: int, path: str, content: bytes, owner: int | None) -> None:
    """A new file at the relative `path` below `root`, with the directories on the way.  Raises OSError."""
    *way, name = path.split("/")
    for depth in range(len(way)):
        made = "/".join(way[: depth + 1])
        try:
            os.mkdir(made, 0o755, dir_fd=root)
            _give(made, owner, root)
        except FileExistsError:
            pass
    directory = _descend(root, way)
    try:
        with open(os.open(name, _NEW_FILE, 0o644, dir_fd=directory), "wb") as file:
            file.write(content)
        _give(name, owner, directory)
    finally:
        os.close(directory)


def copy_tree(source: str, root: int, owner: int | None) -> None:
    """Everything below `source` that is a directory, a plain file or a link, with its permissions, to below `root`."""
    todo = [(source, "")]
    while todo:
        here, prefix = todo.pop()
        with os.scandir(here) as entries:
            for entry in entries:
                path = f"{prefix}{entry.name}"
                if entry.is_symlink():
                    os.symlink(os.readlink(entry.path), path, dir_fd=root)
                elif entry.is_dir():
                    os.mkdir(path, 0o755, dir_fd=root)
                    todo.append((entry.path, f"{path}/"))
                elif entry.is_file():
                    _copy(entry.path, root, path)
                else:
                    continue
                _give(path, owner, root)


def is_directory(root: int, path: str) -> bool:
    """Whether `path` below `root` is a directory, no component of it a link."""
    try:
        os.close(_descend(root, path.split("/")))
    except OSError:
        return False
    return True


def take(root: int, paths: Sequence[str], most_bytes: int) -> Collected:
    """The plain files at `paths` below `root`, together at most `most_bytes`."""
    taken: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    left = most_bytes
    for path in paths:
        try:
            taken[path] = content = _read(root, path, left)
            left -= len(content)
        except FileNotFoundError:
            refused[path] = "not there"
        except ValueError as error:
            refused[path] = str(error)
        except OSError as error:  # ELOOP: a link; ENXIO: a socket
            refused[path] = f"not a plain file in plain directories: {error.strerror}"
    return taken, refused


def usage(root: str, most_files: int) -> tuple[int, int]:
    """(bytes, files) below `root`; the walk ends early past `most_files`, and a path too long to follow counts as that.

    Only sizes are read, so a link that is slipped in while this walks can mislead nobody but the command itself.
    """
    total = files = 0
    todo = [root]
    while todo and files <= most_files:
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    files += 1
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
        except OSError as error:  # gone meanwhile, or closed to its owner
            if error.errno == errno.ENAMETOOLONG:
                return total, most_files + 1
    return total, files


def _read(root: int, path: str, most_bytes: int) -> bytes:
    *way, name = path.split("/")
    directory = _descend(root, way)
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    finally:
        os.close(directory)
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("not a plain file")
        if found.st_nlink != 1:
            raise ValueError("a file with several names")
        content = b"" if found.st_size > most_bytes else file.read(most_bytes + 1)
        if found.st_size > most_bytes or len(content) > most_bytes:
            raise ValueError(f"larger than the {most_bytes} bytes that are left for outputs")
        return content


def _descend(root: int, way: Sequence[str]) -> int:
    """A descriptor of the directory at `way` below `root`, no component of it a link.  Raises OSError."""
    directory = os.dup(root)
    for part in way:
        above = directory
        try:
            directory = os.open(part, _DIRECTORY, dir_fd=above)
        finally:
            os.close(above)
    return directory


def _copy(source: str, root: int, path: str) -> None:
    with open(source, "rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o777
        with open(os.open(path, _NEW_FILE, 0o600, dir_fd=root), "wb") as copy:
            while chunk := file.read(CHUNK_BYTES):
                copy.write(chunk)
            os.fchmod(copy.fileno(), mode | 0o600)


def _give(name: str, owner: int | None, directory: int) -> None:
    if owner is not None:
        os.chown(name, owner, owner, dir_fd=directory, follow_symlinks=False)
