"""Ruff's own fixes, rule by rule: text in, text out.

Ruff reads the text from its standard input and no configuration, so the answer depends on the text, the rules and the
version alone. Nothing is written to disk.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import ConfigError, UnavailableError

__all__ = ["FAULTS", "GROUPS", "faults", "fixes"]

TIMEOUT_S = 30.0
GROUPS = ("PERF", "C4", "SIM", "UP", "FURB", "PIE", "RUF", "RET")
"""Groups of rules whose fixes may make code faster or shorter; FURB needs ruff's preview, which is on."""


FAULTS = ("E9", "F63", "F7", "F82")
"""Rules for what never works: syntax, comparisons with literals, statements out of place, undefined names."""


def fixes(
    text: str,
    path: str,
    select: Sequence[str],
    unsafe: bool = False,
    *,
    target: str = "py311",
    timeout_s: float = TIMEOUT_S,
    program: str | None = None,
) -> str:
    """`text` with ruff's fixes for the selected rules; unchanged where there are none, or where it does not parse.

    `path` only tells ruff what kind of file it is. `unsafe` takes the fixes that ruff says may change behaviour too.
    Raises ConfigError for a rule ruff does not know, UnavailableError when ruff is not installed, fails or does not
    answer within `timeout_s`.
    """
    if not select:
        return text
    command = [
        program or _program(), "check", "--isolated", "--fix-only", "--exit-zero", "--no-cache", "--preview",
        "--unsafe-fixes" if unsafe else "--no-unsafe-fixes", f"--target-version={target}",
        f"--select={','.join(select)}", f"--stdin-filename={path}", "-",
    ]  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 -- our own program, and no shell
            command, input=text.encode(), capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(
            f"ruff gave no answer within {timeout_s:g} s", where=path, hint="leave the file out, or allow more time"
        ) from error
    except OSError as error:
        raise UnavailableError(
            f"ruff does not start: {error.strerror or error}", where=command[0], hint="python -m pip install ruff"
        ) from error
    said = done.stderr.decode(errors="replace").strip()
    if "Unknown rule selector" in said or "invalid value" in said:
        raise ConfigError(
            f"ruff does not know a rule of {', '.join(select)}: {said.splitlines()[0]}",
            where=path,
            hint=f"groups that may help: {', '.join(GROUPS)}",
        )
    if done.returncode != 0:
        raise UnavailableError(f"ruff failed: {said[-500:] or done.returncode}", where=path, hint="try another rule")
    return done.stdout.decode()


def faults(text: str, path: str, select: Sequence[str] = FAULTS, *, timeout_s: float = TIMEOUT_S) -> list[str]:
    """What ruff finds by the selected rules, `CODE message` each, without places: these move when lines do.

    Raises UnavailableError when ruff is not installed, fails or does not answer within `timeout_s`.
    """
    command = [
        _program(), "check", "--isolated", "--no-cache", "--exit-zero", "--output-format=json",
        f"--select={','.join(select)}", f"--stdin-filename={path}", "-",
    ]  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 -- our own program, and no shell
            command, input=text.encode(), capture_output=True, timeout=timeout_s, check=False
        )
        found = json.loads(done.stdout) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, OSError, ValueError) as error:
        hint = "python -m pip install ruff"
        raise UnavailableError(f"ruff gives no answer: {error}", where=path, hint=hint) from error
    if found is None:
        raise UnavailableError(f"ruff failed: {done.stderr.decode(errors='replace')[-300:]}", where=path)
    return [f"{one['code']} {one['message']}" for one in found]


def _program() -> str:
    """The ruff beside this Python, else the one on the path."""
    beside = Path(sys.executable).with_name("ruff")
    found = str(beside) if beside.exists() else shutil.which("ruff")
    if found is None:
        raise UnavailableError("ruff is not installed", hint="python -m pip install ruff")
    return found
