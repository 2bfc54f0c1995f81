"""The quality gate: rewards against a threshold, or rewards and docstring defects against a stored baseline."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ConfigError, NotFoundError
from core.files import write_atomically
from core.validation import config_error

__all__ = ["TOLERANCE", "Baseline", "FileBaseline", "as_json", "entry", "failures", "key_of"]

TOLERANCE = 0.01
"""A reward may fall by so much before it counts as fallen."""


class FileBaseline(BaseModel):
    """What is stored of a file.  A defect is known by kind, scope and message, not by its line, which moves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reward: float = Field(ge=0, le=1)
    defects: tuple[tuple[str, str, str], ...] = ()


class Baseline(BaseModel):
    """Rewards and defects by path, relative to the folder of the baseline's file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = Field(default=1, ge=1, le=1)
    files: dict[str, FileBaseline] = {}

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """Raises NotFoundError, ConfigError."""
        try:
            return cls.model_validate(json.loads(path.read_text("utf-8")))
        except FileNotFoundError as error:
            raise NotFoundError(
                "there is no such baseline", where=str(path), hint="the same call without --check stores one"
            ) from error
        except ValidationError as error:
            raise config_error(error, cls, str(path)) from error
        except (OSError, ValueError) as error:
            raise ConfigError(f"this is no baseline: {error}", where=str(path), hint="store it anew") from error

    def store(self, path: Path) -> None:
        """Raises StorageError."""
        write_atomically(path, self.model_dump_json(indent=1) + "\n", mode=0o644)

    def updated(self, results: Mapping[str, FileBaseline]) -> Baseline:
        """With `results` in place of what is stored of these files; the others stay."""
        return self.model_copy(update={"files": dict(sorted({**self.files, **results}.items()))})


def key_of(path: Path, baseline: Path) -> str:
    """The name of a file in a baseline: its path from there, with `/`."""
    return Path(os.path.relpath(path.resolve(), baseline.resolve().parent)).as_posix()


def entry(result: Mapping[str, Any]) -> FileBaseline:
    """A file's result, as it is told, in the form in which it is stored."""
    defects = {(str(each["kind"]), str(each["scope"]), str(each["message"])) for each in result["defects"]}
    return FileBaseline(reward=result["reward"], defects=tuple(sorted(defects)))


def failures(now: FileBaseline, stored: FileBaseline | None, threshold: float) -> list[str]:
    """Why a file does not pass: against what is `stored` of it, or where nothing is, against the threshold."""
    if stored is None:
        return [] if now.reward >= threshold else [f"reward {now.reward:.3f} is below the threshold {threshold:g}"]
    why: list[str] = []
    if now.reward < stored.reward - TOLERANCE:
        why.append(f"reward fell from {stored.reward:.3f} to {now.reward:.3f}")
    known = set(stored.defects)
    why += [
        f"new defect in {scope}: {message}"
        for kind, scope, message in now.defects
        if (kind, scope, message) not in known
    ]
    return why


def as_json(why: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The verdict of `--check`, for `--json`."""
    return {"passed": not any(why.values()), "failed": {path: list(each) for path, each in why.items() if each}}
