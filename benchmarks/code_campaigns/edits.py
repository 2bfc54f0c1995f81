"""An edit of a package, as a person would make it in an editor."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Edit", "apply", "copy_of"]

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Edit:
    """Pieces of one or more files, each replaced where it stands.

    `pieces` are (file relative to the campaign's folder, text now, text then); the text now must occur exactly once.
    `needs` are edits without which this one cannot be made.
    """

    name: str
    pieces: tuple[tuple[str, str, str], ...]
    needs: tuple[str, ...] = ()


def copy_of(campaign: str, folder: Path) -> Path:
    """The campaign's folder as it ships, copied into `folder`."""
    target = folder / campaign
    shutil.copytree(ROOT / "campaigns" / campaign, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def apply(edits: Iterable[Edit], campaign: Path) -> None:
    """Make the edits one after another. Raises ValueError, naming edit and file, if a piece is not there once."""
    for edit in edits:
        for name, now, then in edit.pieces:
            path = campaign / name
            text = path.read_text(encoding="utf-8")
            if text.count(now) != 1:
                raise ValueError(f"{edit.name}: a piece occurs {text.count(now)} times in {name}: {now[:60]!r}")
            path.write_text(text.replace(now, then), encoding="utf-8")
