"""Which files the words of the command line mean."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.errors import ConfigError

__all__ = ["python_files"]

SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})


def python_files(words: Iterable[str]) -> list[Path]:
    """Every file named, and every `.py` that is not empty below every folder named, sorted, each once.

    Hidden folders, virtual environments (with a `pyvenv.cfg`) and installed packages are left out, links to folders
    are not followed.  Raises ConfigError for a folder that holds no Python.
    """
    found: list[Path] = []
    for word in words:
        path = Path(word)
        if not path.is_dir():
            found.append(path)
            continue
        below = sorted(_below(path))
        if not below:
            raise ConfigError(
                "the folder holds no Python file with anything in it",
                where=str(path),
                hint="hidden folders and virtual environments are left out; name the files themselves",
            )
        found += below
    return list(dict.fromkeys(found))


def _below(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and name not in SKIPPED and not (Path(here) / name / "pyvenv.cfg").exists()
        ]
        for name in files:
            path = Path(here) / name
            if name.endswith(".py") and path.is_file() and path.stat().st_size:
                yield path
