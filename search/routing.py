"""Simple tasks take the cheap path.

The rule: a task takes the full path if any of these holds, and else the cheap one.

    several files          more than one file may change
    long                   more than `LONG` lines of code may change
    complex                a function among them is as complex as `COMPLEX` by McCabe's count, his own limit (1976)
    the cheap path failed  it was tried `PATIENCE` times without a candidate that passed or was better

The cheap path is what costs no model call: transformations by rule and constants to tune.  The full one adds everything
else.  As the last line says, a task that only looked simple gets the full path after a few tries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Route", "TaskMeasures", "route"]

LONG = 80
COMPLEX = 10
PATIENCE = 3


@dataclass(frozen=True, slots=True)
class TaskMeasures:
    """What may change: files, lines of code, the complexity of the most complex function; and cheap tries in vain."""

    files: int
    lines: int
    hardest: int
    cheap_failures: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """The path, and the reason for a person."""

    path: Literal["cheap", "full"]
    reason: str


def route(task: TaskMeasures) -> Route:
    """The path of a task by the rule above."""
    if task.cheap_failures >= PATIENCE:
        return Route("full", f"{task.cheap_failures} cheap tries brought nothing")
    if task.files > 1:
        return Route("full", f"{task.files} files may change")
    if task.lines > LONG:
        return Route("full", f"{task.lines} lines of code may change, more than {LONG}")
    if task.hardest >= COMPLEX:
        return Route("full", f"a function has complexity {task.hardest}, at least {COMPLEX}")
    return Route("cheap", f"one file of {task.lines} lines, no function more complex than {task.hardest}")
