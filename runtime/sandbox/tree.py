"""One command in the sandbox with a folder of files as its own: read, and not written to."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from runtime.sandbox import Isolation, SandboxLimits, SandboxRun, run

__all__ = ["run_in_tree", "said"]

ENTER = 'cd -P ../inputs/tree && PYTHONPATH="$PWD:$PWD/src" && export PYTHONPATH && exec "$@"'
"""The tree is an input: nothing that runs can write to it."""
ENVIRONMENT = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONUNBUFFERED": "1",
}


def run_in_tree(
    tree: Path,
    command: Sequence[str],
    *,
    limits: SandboxLimits,
    isolation: Isolation,
    trusted: bool = False,
    environment: Mapping[str, str] | None = None,
    work: Mapping[str, bytes] | None = None,
    outputs: Sequence[str] = (),
) -> SandboxRun:
    """Run `command` with `tree` as its folder, importable; `{python}` is this interpreter.

    `work` lies in $HOME, and so do the `outputs`, by relative path.  Raises SandboxError.
    """
    words = [sys.executable if word == "{python}" else word for word in command]
    return run(
        ["/bin/sh", "-c", ENTER, "sh", *words],
        inputs={"tree": tree},
        work=work,
        limits=limits,
        environment={**ENVIRONMENT, **(environment or {})},
        outputs=outputs,
        isolation=isolation,
        trusted=trusted,
    )


def said(ran: SandboxRun) -> str:
    """How it ended and its last line, for a person."""
    lines = (ran.stderr or ran.stdout).decode("utf-8", "replace").strip().splitlines()
    how = ran.reason or (f"exit code {ran.exit_code}" if ran.exit_code is not None else f"ended: {ran.ended}")
    return f"{how}: {lines[-1][:300]}" if lines else how
