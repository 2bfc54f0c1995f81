"""The programs that checks need beyond ruff: whether they are here, and one run of one."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import UnavailableError

__all__ = ["HINT", "TOOLS", "ToolSilentError", "missing_tools", "output_of"]

TOOLS = ("mypy", "bandit", "coverage")
HINT = "pip install 'ratchet[improve]'"


class ToolSilentError(UnavailableError):
    """It gave no answer in its time: what it was given may be to blame."""


def missing_tools() -> list[str]:
    """Those of TOOLS that are not installed beside this Python."""
    return [name for name in TOOLS if importlib.util.find_spec(name) is None]


def output_of(
    module: str, arguments: Sequence[str], *, cwd: Path, timeout_s: float, codes: Sequence[int], path: str = ""
) -> str:
    """What `python -m module …` prints; it reads `path` as its MYPYPATH, and nothing else of this environment.

    Raises ToolSilentError after `timeout_s`, UnavailableError when it does not start or ends with another exit code.
    """
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **({"MYPYPATH": path} if path else {})}
    try:
        done = subprocess.run(  # noqa: S603 -- our own program, and no shell
            [sys.executable, "-I", "-m", module, *arguments],
            cwd=cwd, env=environment, capture_output=True, timeout=timeout_s, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ToolSilentError(f"{module} gave no answer within {timeout_s:g} s") from error
    except OSError as error:
        raise UnavailableError(f"{module} does not start: {error.strerror or error}", hint=HINT) from error
    if done.returncode not in codes:
        said = done.stderr.decode("utf-8", "replace").strip() or done.stdout.decode("utf-8", "replace").strip()
        raise UnavailableError(f"{module} failed: {said[-500:] or done.returncode}", hint=HINT)
    return done.stdout.decode("utf-8", "replace")
