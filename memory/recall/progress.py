"""How far the Chroma index has come: a small file beside Chroma's own, `caught_up.json`.

It is written after Chroma has acknowledged, so it can be behind, never ahead; what the index lacks is added again,
and adding a known id changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

__all__ = ["Progress", "digest", "segment_digests", "segment_stats"]

FILE = "caught_up.json"
SCHEMA = 1


@dataclass(frozen=True)
class Progress:
    """The model of the vectors, the last position taken from the store, and what the index then had."""

    model_id: str
    dimension: int
    position: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    """Entries of each collection."""
    digests: dict[str, str] | None = None
    """SHA-256 of each vector file; None while rows are being added."""
    database: str | None = None
    """SHA-256 of Chroma's database as its last owner left it; None while it is in use, or after a kill."""
    failure: str = ""
    """Why its last owner gave it up."""
    schema: int = SCHEMA

    @classmethod
    def read(cls, folder: Path) -> Progress | None:
        """What the file in `folder` says; None where there is none that can be read (then all is added again)."""
        try:
            progress = cls(**json.loads((folder / FILE).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None
        return progress if progress.schema == SCHEMA else None

    def write(self, folder: Path) -> None:
        temporary = folder / f"{FILE}.new"
        temporary.write_text(json.dumps(asdict(self), indent=1))
        temporary.replace(folder / FILE)

    def changed(self, **fields: Any) -> Progress:
        return replace(self, **fields)


def segment_stats(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change (ns) of each vector file: when these are the same, so is the file."""
    return {name: (path.stat().st_size, path.stat().st_mtime_ns) for name, path in _segment_files(folder)}


def segment_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each vector file, by its path in `folder`."""
    return {name: digest(path) for name, path in _segment_files(folder)}


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _segment_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Chroma keeps the vectors of a collection in a folder of its own, named by a UUID."""
    for path in sorted(folder.glob("*/*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path
