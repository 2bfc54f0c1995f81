"""One command of the campaign in the sandbox, with a laid-out tree as its folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from agents.judge.records import Plan
from runtime.sandbox import Isolation, SandboxLimits, SandboxRun, run

__all__ = ["RESULTS", "run_in_tree", "said"]

RESULTS = "results.xml"
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
    plan: Plan,
    tree: Path,
    command: Sequence[str],
    isolation: Isolation,
    *,
    outputs: Sequence[str] = (),
) -> SandboxRun:
    """Run `command` with `tree` as its folder; `{python}` is this interpreter.  Raises SandboxError."""
    words = [sys.executable if word == "{python}" else word for word in command]
    return run(
        ["/bin/sh", "-c", ENTER, "sh", *words],
        inputs={"tree": tree},
        limits=SandboxLimits(time_s=plan.code.run_time_s, memory_mb=plan.code.memory_mb),
        environment={**ENVIRONMENT, **plan.environment},
        outputs=outputs,
        isolation=isolation,
        trusted=plan.trusted,
    )


def said(ran: SandboxRun) -> str:
    """How it ended and its last line, for a person."""
    lines = (ran.stderr or ran.stdout).decode("utf-8", "replace").strip().splitlines()
    how = ran.reason or (f"exit code {ran.exit_code}" if ran.exit_code is not None else f"ended: {ran.ended}")
    return f"{how}: {lines[-1][:300]}" if lines else how
