"""Changes of code as a person has them: a proposal in JSON, a diff against a folder, or a changed copy of a folder."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agents.code.apply import apply_changes
from agents.code.edits import parse_changes
from core.errors import ConfigError, NotFoundError, PatchError
from core.pull_requests import CodeChange, PRProposal
from core.validation import config_error

__all__ = ["changes_of_diff", "changes_of_folders", "changes_of_json", "proposal_of_json"]

MOST_BYTES = 20_000_000
"""Of one file, and of all that is read from a folder that has changed."""
MOST_FILES = 20_000
SKIPPED = frozenset({".git", ".hg", ".svn", ".ratchet", ".venv", "__pycache__", "node_modules"})
"""Folders that are not compared."""


def proposal_of_json(path: Path) -> PRProposal | dict[str, Any]:
    """A proposal as `--out` writes it; or the `title`, `description`, `changes` and `evidence` of one to be made."""
    try:
        told = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"it is not JSON: {str(error)[:200]}", where=str(path)) from error
    if not isinstance(told, dict) or "changes" not in told:
        raise ConfigError(
            "it has no changes", where=str(path), hint='write {"title": …, "description": …, "changes": […]}'
        )
    if "proposal_id" not in told:
        return told
    try:
        return PRProposal.model_validate_json(json.dumps(told))
    except ValidationError as error:
        raise config_error(error, PRProposal, str(path)) from error


def changes_of_json(told: Any, where: str) -> list[CodeChange]:
    """Raises ConfigError, which names the first key that is wrong."""
    if not isinstance(told, list):
        raise ConfigError("changes is no list", where=where)
    changes = []
    for number, one in enumerate(told):
        try:
            changes.append(CodeChange.model_validate(one))
        except ValidationError as error:
            raise config_error(error, CodeChange, f"{where} changes.{number}") from error
    return changes


def changes_of_diff(text: str, against: Path) -> list[CodeChange]:
    """The changes of a diff to the files of the folder `against`.  Raises PatchError where it does not fit."""
    asked = parse_changes(text)
    paths = {path for change in asked for path in (change.path, change.source) if path}
    before = {path: content for path in sorted(paths) if (content := _text(against, path)) is not None}
    applied = apply_changes(before, asked)
    if applied.rejected:
        first = applied.rejected[0]
        raise PatchError(
            f"the diff does not fit: {first.reason}", where=first.path, hint=f"is {against} what it was made from?"
        )
    return _changes(before, {**before, **applied.files}, set(applied.deleted))


def changes_of_folders(folder: Path, against: Path) -> list[CodeChange]:
    """What was created, updated and deleted between the folder `against` and its changed copy `folder`.

    Links and the folders in SKIPPED are left out.  Raises ConfigError when nothing has changed.
    """
    before, after = _listed(against), _listed(folder)
    changed = {
        p for p in before.keys() | after.keys() if p not in before or p not in after or _differ(before[p], after[p])
    }
    total = sum(each[path].stat().st_size for each in (before, after) for path in changed if path in each)
    if total > MOST_BYTES:
        raise ConfigError(f"the changed files have {total:,} bytes, more than {MOST_BYTES:,}", where=str(folder))
    old = {path: _content(before[path]) for path in sorted(changed) if path in before}
    new = {path: _content(after[path]) for path in sorted(changed) if path in after}
    changes = _changes(old, new, old.keys() - new.keys())
    if not changes:
        raise ConfigError("nothing has changed", where=f"{folder} against {against}")
    return changes


def _changes(before: dict[str, Any], after: dict[str, Any], deleted: set[str]) -> list[CodeChange]:
    found = []
    for path in sorted({*before, *after}):
        if path in deleted:
            found.append(CodeChange(file_path=path, original_content=before[path], change_type="delete"))
        elif path not in before:
            found.append(CodeChange(file_path=path, new_content=after[path], change_type="create"))
        elif before[path] != after[path]:
            old, new = before[path], after[path]
            found.append(CodeChange(file_path=path, original_content=old, new_content=new, change_type="update"))
    return found


def _listed(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise NotFoundError("there is no such folder", where=str(folder))
    found: dict[str, Path] = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in SKIPPED]
        for name in names:
            path = Path(place) / name
            if stat.S_ISREG(path.lstat().st_mode):
                found[path.relative_to(folder).as_posix()] = path
        if len(found) > MOST_FILES:
            raise ConfigError(f"more than {MOST_FILES:,} files", where=str(folder), hint="name the folder of the code")
    return found


def _differ(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size:
        return True
    return one.read_bytes() != other.read_bytes()


def _text(folder: Path, path: str) -> str | None:
    """A file that a diff names; None when there is none.  No link is followed out of the folder."""
    place = folder / path
    if not place.resolve().is_relative_to(folder.resolve()) or not place.is_file():
        return None
    content = _content(place)
    if isinstance(content, bytes):
        raise PatchError("a diff cannot change a file that is no text", where=path, hint="give the changed folder")
    return content


def _content(path: Path) -> str | bytes:
    """Text where the file is UTF-8, else its bytes."""
    data = _read(path)
    try:
        return data if b"\0" in data else data.decode()
    except UnicodeDecodeError:
        return data


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFoundError("there is no such file", where=str(path)) from error
    if len(data) > MOST_BYTES:
        raise ConfigError(f"the file has more than {MOST_BYTES:,} bytes", where=str(path))
    return data
