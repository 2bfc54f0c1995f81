"""An edited configuration from $EDITOR: as YAML, again and again until it can run or nothing changes."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from core.approvals import Approval
from core.errors import ConfigError, RatchetError, UnavailableError, UsageError
from service.escape import escaped

__all__ = ["edit_config", "editor_command"]

FALLBACK = "vi"
MAX_SIZE_BYTES = 1_000_000


def editor_command(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The words of $VISUAL or $EDITOR, else vi."""
    text = environment.get("VISUAL") or environment.get("EDITOR") or FALLBACK
    try:
        return shlex.split(text) or [FALLBACK]
    except ValueError as error:
        raise UsageError(f"EDITOR cannot be read: {error}", where="EDITOR", hint="such as EDITOR=nano") from error


def edit_config(asked: Approval, take: Callable[[dict[str, Any]], None]) -> None:
    """Let a person change the configuration that is shown, and hand it to `take`.

    What `take` cannot take (ConfigError) stands on top of the file, and the editor opens again.  Raises UsageError when
    nothing was changed (since the last error: that error), UnavailableError when the editor does not run.
    """
    shown = asked.shown.get("config", {})
    text = yaml.safe_dump(shown, sort_keys=False, allow_unicode=True)
    notes = [
        f"{asked.id}: {asked.title}",
        "Save and leave to say yes to this instead; without a change nothing is said.",
    ]
    failed: RatchetError | None = None
    with tempfile.TemporaryDirectory(prefix="ratchet-edit-") as folder:
        path = Path(folder) / f"{asked.id}.yaml"
        while True:
            head = "".join(f"# {line}\n" for note in notes for line in escaped(note).split("\n"))
            path.write_text(head + text, encoding="utf-8")
            _open(path)
            edited = _read(path)
            if _without_comments(edited) == _without_comments(text):
                if failed is not None:
                    raise failed
                raise UsageError(
                    "nothing was changed, so nothing was said",
                    where=asked.id,
                    hint=f"`python run_graph.py approve {asked.id}` takes it as it is",
                )
            text = "".join(line for line in edited.splitlines(keepends=True) if not line.startswith("#"))
            try:
                take(_parsed(text, asked.id))
                return
            except ConfigError as error:
                failed = error
                notes = [f"{asked.id}: {error.what}", *([error.hint] if error.hint else [])]


def _open(path: Path) -> None:
    words = editor_command()
    try:
        code = subprocess.call([*words, str(path)])  # noqa: S603  # the person's own editor
    except OSError as error:
        raise UnavailableError(
            f"the editor {words[0]!r} does not start: {error.strerror or error}",
            where="EDITOR",
            hint="set EDITOR, or give the changes: `python run_graph.py edit ID --set key=value`",
        ) from error
    if code != 0:
        raise UsageError(f"the editor ended with {code}, so nothing was said", where=" ".join(words))


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_SIZE_BYTES:
            raise ConfigError("the edited file is too large", where=str(path))
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the edited file cannot be read: {error}", where=str(path)) from error


def _without_comments(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _parsed(text: str, where: str) -> dict[str, Any]:
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"this is not YAML: {problem}", where=where) from error
    if not isinstance(data, dict) or not data:
        raise ConfigError("a configuration is parameters with their values", where=where)
    return data
