"""How far each deployment has come, beside the releases: one file a deployment, replaced before every step.

The journal lies with the code that it is about, so that a kill can be mended without any other store.  A file of 64 KiB
is kept in reserve: on a full disk it is given up, so that a rollback can still be written down.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import ValidationError

from core.deployment import DeploymentState
from core.errors import BusyError, NotFoundError, StorageError
from runtime.delivery.files import put_file

__all__ = ["Journal"]

RESERVE_BYTES = 64 * 1024


class Journal:
    """The states in `folder`/deployments.  Raises StorageError for what cannot be read or written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "deployments"
        self._lock = folder / ".lock"

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Nobody else deploys to this folder meanwhile, in this process or another.  Raises BusyError."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _refused(error, self._lock) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise BusyError(
                "another process deploys to this service", where=str(self._lock.parent), hint="wait until it is done"
            ) from error
        try:
            yield
        finally:
            os.close(descriptor)

    def read(self, deployment_id: str) -> DeploymentState:
        """Raises NotFoundError."""
        path = self._path(deployment_id)
        try:
            return DeploymentState.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise NotFoundError(f"there is no deployment {deployment_id}", where=str(self._folder)) from error
        except (OSError, ValidationError) as error:
            raise StorageError("the journal of a deployment cannot be read", where=str(path)) from error

    def all(self) -> list[DeploymentState]:
        """Every deployment, the one that began last at the end."""
        states = [self.read(path.stem) for path in self._folder.glob("d-*.json")]
        return sorted(states, key=lambda state: (state.began_at, state.deployment.id))

    def write(self, state: DeploymentState) -> None:
        """Whole, and on the disk when this returns."""
        path = self._path(state.deployment.id)
        content = state.model_dump_json(indent=1).encode() + b"\n"
        try:
            try:
                put_file(path, content, 0o600)
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise
                self._reserve.unlink(missing_ok=True)
                put_file(path, content, 0o600)
            _sync(self._folder)
        except OSError as error:
            raise _refused(error, path) from error

    def set_aside(self) -> None:
        """Take the reserve, where it is not there.  Raises StorageError when there is no room for it."""
        try:
            if self._reserve.exists():
                return
            descriptor = os.open(self._reserve, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
            except OSError:
                self._reserve.unlink()
                raise
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _refused(error, self._reserve) from error

    def make_room(self) -> None:
        """Give the reserve up, for what has to be written besides the journal."""
        with suppress(OSError):
            self._reserve.unlink(missing_ok=True)

    @property
    def _reserve(self) -> Path:
        return self._folder / "reserve"

    def _path(self, deployment_id: str) -> Path:
        if not deployment_id.startswith("d-") or not deployment_id[2:].isalnum():
            raise NotFoundError(f"{deployment_id!r} is not the id of a deployment")
        return self._folder / f"{deployment_id}.json"


def _refused(error: OSError, path: Path) -> StorageError:
    return StorageError(
        f"the journal of the deployments cannot be written: {error.strerror or error}",
        where=error.filename or str(path),
        hint="is the disk full, or read-only? what is live was left as it is",
    )


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
