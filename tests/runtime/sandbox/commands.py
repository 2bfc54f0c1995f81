"""Small Python programs, run in the sandbox at a chosen level."""

from __future__ import annotations

import functools
import sys
import textwrap
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.errors import SandboxError
from runtime.sandbox import Isolation, Level, SandboxLimits, SandboxRun, assess, run

FUSE_S = 20.0
"""No command comes near it; it only keeps a broken sandbox from hanging the tests."""


@dataclass(frozen=True)
class Here:
    """One mechanism on this machine."""

    level: Level
    isolation: Isolation

    def python(self, script: str, *arguments: str, limits: dict[str, Any] | None = None, **rest: Any) -> SandboxRun:
        """`script` run by this interpreter."""
        return run(
            [sys.executable, "-c", textwrap.dedent(script), *arguments],
            limits=SandboxLimits(**{"time_s": FUSE_S, **(limits or {})}),
            isolation=self.isolation,
            trusted=self.level == 1,
            **rest,
        )

    def says(self, script: str, *arguments: str, **rest: Any) -> str:
        """What `script` prints, having ended well."""
        result = self.python(script, *arguments, **rest)
        assert (result.ended, result.exit_code) == ("exit", 0), f"{result.reason}\n{result.stderr.decode()}"
        return result.stdout.decode().strip()


@functools.cache
def _assess(level: Level) -> Isolation | str:
    try:
        return assess(level)
    except SandboxError as error:
        return str(error)


def here_at(level: Level) -> Here:
    found = _assess(level)
    if isinstance(found, str):
        warnings.warn(f"no isolation here at level {level}, nothing was tested: {found}", stacklevel=1)
        pytest.skip(f"no isolation here at level {level}: {found}")
    return Here(level, found)


def alive(mark: str) -> list[int]:
    """Processes with this word on their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found
