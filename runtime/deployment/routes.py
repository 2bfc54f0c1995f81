"""`routes.json`: who gets another release than the live one.  The router of the service reads it, whole at any time."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import Field, ValidationError

from core.errors import StorageError
from core.records import Record
from runtime.delivery.files import put_file

__all__ = ["Canary", "Routes", "read_routes", "write_routes"]

FILE = "routes.json"


class Canary(Record):
    """`share` of the requests gets `digest`; of the requests of `tenants` only, where these are named."""

    digest: str
    share: float = Field(gt=0, lt=1)
    tenants: tuple[str, ...] | None = None


class Routes(Record):
    """`tenants`: the release of each that has one of its own.  All others get the live one."""

    tenants: dict[str, str] = Field(default={}, description="digest by tenant")
    canary: Canary | None = None

    @property
    def needed(self) -> set[str]:
        return {*self.tenants.values(), *([self.canary.digest] if self.canary else [])}


def read_routes(folder: Path) -> Routes:
    """Raises StorageError for a file that cannot be read."""
    path = folder / FILE
    try:
        return Routes.model_validate(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return Routes()
    except (OSError, ValueError, ValidationError) as error:
        raise StorageError(
            "the routes cannot be read", where=str(path), hint="remove the file: everybody then gets the live release"
        ) from error


def write_routes(folder: Path, routes: Routes) -> None:
    """Whole or not at all, and on the disk; nothing to say, no file.  Raises StorageError."""
    path = folder / FILE
    try:
        if routes == Routes():
            path.unlink(missing_ok=True)
        elif read_routes(folder) != routes:
            put_file(path, routes.model_dump_json(indent=1).encode() + b"\n", 0o644)  # the service has to read it
    except OSError as error:
        raise StorageError(
            f"the routes cannot be written: {error.strerror or error}", where=str(path), hint="is the disk full?"
        ) from error
