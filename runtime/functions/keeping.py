"""A function, kept so that another process can call it.

A function of a module is kept by its name, one of a script, a notebook or another function by its code: cloudpickle
decides.  Where modules are found is kept beside it, as the job starts in a folder of its own.
"""

from __future__ import annotations

import base64
import inspect
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle

from core.errors import ConfigError
from core.files import write_private
from core.ids import content_hash

__all__ = ["FUNCTION_FILE", "command_of", "keep_function"]

FUNCTION_FILE = "{config}"
"""Last word of the job's command: the file with its parameters."""


def keep_function(function: Callable[..., Any], folder: Path, metric: str) -> Path:
    """The file in `folder` that holds the function; `metric` is what a plain number that it returns is called.

    The name of the file is made of the function's source, so that the same function, defined again in another session,
    has the same one.  Raises ConfigError for what cannot be kept, and StorageError.
    """
    try:
        pickled = cloudpickle.dumps(function)
    except Exception as error:
        raise ConfigError(
            f"the objective cannot be handed to another process: {error}",
            where=_name(function),
            hint="let it open files, locks and connections inside, and not use those of outside",
        ) from error
    path = folder / f"{_name(function)}-{_identity(function, pickled)[:12]}.json"
    kept = {
        "metric": metric,
        "paths": [str(Path(entry).resolve()) if entry else str(Path.cwd()) for entry in sys.path],
        "function": base64.b64encode(pickled).decode(),
    }
    write_private(path, json.dumps(kept))
    return path


def command_of(path: Path) -> tuple[str, ...]:
    """The command of a job that calls the function kept at `path`."""
    return ("{python}", "-m", "runtime.functions", str(path.absolute()), FUNCTION_FILE)


def _identity(function: Callable[..., Any], pickled: bytes) -> str:
    """Of the source and what it closes over, where there is one; pickles of one function need not be equal."""
    try:
        source = inspect.getsource(function)
        closed = inspect.getclosurevars(function).nonlocals
        return content_hash(source, getattr(function, "__qualname__", ""), {k: repr(v) for k, v in closed.items()})
    except (OSError, TypeError):
        return content_hash(base64.b64encode(pickled).decode())


def _name(function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", type(function).__name__)
    return "".join(c if c.isalnum() or c in "_-" else "_" for c in os.fspath(name))[:60].strip("_") or "function"
