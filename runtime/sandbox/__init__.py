"""Untrusted commands, each in isolation: found by attack, bounded, ended without a trace, its results only bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import SandboxError
from runtime.sandbox.discovery import assess, find_isolation
from runtime.sandbox.isolation import PROPERTIES, Isolation, Level, describe
from runtime.sandbox.limits import SandboxLimits
from runtime.sandbox.running import Ended, SandboxRun, run_with

__all__ = [
    "PROPERTIES",
    "Ended",
    "Isolation",
    "Level",
    "SandboxLimits",
    "SandboxRun",
    "assess",
    "describe",
    "find_isolation",
    "run",
]


def run(
    command: Sequence[str],
    *,
    inputs: Mapping[str, Path] | None = None,
    work: Mapping[str, bytes] | Path | None = None,
    limits: SandboxLimits | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    cwd: str = ".",
    outputs: Sequence[str] = (),
    isolation: Isolation | None = None,
    trusted: bool = False,
) -> SandboxRun:
    """Run `command` without a shell, in a working directory of its own, and wait until nothing of it is alive.

    `inputs`: name → file or directory that it reads as `../inputs/NAME` (from the working directory), unchanged.
    `work`: what lies in the working directory at the start, relative path → content, or a directory that is copied.
    `cwd`: where in the working directory it starts.  `outputs`: relative paths of files to bring back.
    `environment`: all that it gets beside PATH, HOME, TMPDIR, LANG and a mark.
    It sees this interpreter (`sys.executable`) with its packages, and the system's programs and libraries, read-only.

    `isolation`: by default the best there is.  Level 1 is refused unless the caller says that the command is
    `trusted`; that is for a person on this machine to say, never for a model or a repository.
    Raises SandboxError when there is no isolation, ConfigError for a wrong path or name.  A command that fails is no
    error: see `SandboxRun.ended`.
    """
    isolation = isolation or find_isolation()
    if isolation.level == 1 and not trusted:
        raise SandboxError(
            "there is no isolation here for code that nobody trusts",
            where="; ".join(isolation.missing)
            or ", ".join(name for name in PROPERTIES if not isolation.holds(name)) + " not enforced",
            hint="apt-get install bubblewrap, or say that you trust the code",
        )
    result, _ = run_with(
        isolation.mechanism,
        command,
        inputs=inputs or {},
        work={} if work is None else work,
        limits=limits or SandboxLimits(),
        environment=environment or {},
        stdin=stdin,
        cwd=cwd,
        outputs=outputs,
    )
    return result.model_copy(update={"isolation": isolation})
