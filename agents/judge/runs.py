"""One command of the campaign in the sandbox, with a laid-out tree as its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agents.judge.records import Plan
from runtime.sandbox import Isolation, SandboxLimits, SandboxRun, tree
from runtime.sandbox.tree import said

__all__ = ["run_in_tree", "said"]


def run_in_tree(
    plan: Plan,
    folder: Path,
    command: Sequence[str],
    isolation: Isolation,
    *,
    outputs: Sequence[str] = (),
) -> SandboxRun:
    """Run `command` with the plan's limits and environment; see `runtime.sandbox.tree`.  Raises SandboxError."""
    return tree.run_in_tree(
        folder,
        command,
        limits=SandboxLimits(time_s=plan.code.run_time_s, memory_mb=plan.code.memory_mb),
        isolation=isolation,
        trusted=plan.trusted,
        environment=plan.environment,
        outputs=outputs,
    )
