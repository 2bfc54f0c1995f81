"""Where the time of a benchmark goes: one more run under Python's profiler, read from what it prints."""

from __future__ import annotations

import re
from pathlib import Path

from agents.judge.records import Plan
from agents.judge.runs import run_in_tree
from runtime.sandbox import Isolation

__all__ = ["profile"]

MOST = 30
"""Functions that are kept, the most expensive first."""
LINE = re.compile(r"^\s*[\d/]+\s+[\d.]+\s+[\d.]+\s+([\d.]+)\s+[\d.]+\s+([^\s:/]+\.py):(\d+)\((\w+)\)$")
"""A line of pstats: calls, total time in the function, a call, with all that it calls, a call, file:line(function)."""


def profile(plan: Plan, tree: Path, isolation: Isolation) -> dict[str, float]:
    """`path:function` → the share of the time that goes to it and to what it calls.

    Empty where the benchmark is no Python script, or does not end well.  Of functions of one name in one file the most
    expensive counts.  What it calls belongs to it, as builtins have no line of their own that could be changed.
    """
    command = list(plan.code.benchmark)
    if command[0] != "{python}" or len(command) < 2 or not command[1].endswith(".py"):
        return {}
    words = ["{python}", "-m", "cProfile", "-s", "cumtime", *command[1:], "--seed", str(plan.seed)]
    ran = run_in_tree(plan, tree, words, isolation)
    if ran.ended != "exit" or ran.exit_code != 0:
        return {}
    seconds: dict[str, float] = {}
    for line in ran.stdout.decode("utf-8", "replace").splitlines():
        found = LINE.match(line)
        path = _path(plan, tree, found[2], int(found[3]), found[4]) if found else None
        if found and path is not None:
            name = f"{path}:{found[4]}"
            seconds[name] = max(seconds.get(name, 0.0), float(found[1]))
    longest = max(seconds.values(), default=0.0)
    if longest <= 0:
        return {}
    best = sorted(seconds.items(), key=lambda item: -item[1])[:MOST]
    return {name: round(one / longest, 4) for name, one in best if one > 0}


def _path(plan: Plan, tree: Path, name: str, line: int, function: str) -> str | None:
    """The file of the tree, outside what judges, that has this function's head at about this line; pstats tells no
    folders."""
    for file in sorted(tree.rglob(name)):
        path = file.relative_to(tree).as_posix()
        if path in plan.judged:
            continue
        head = file.read_text(encoding="utf-8", errors="replace").splitlines()[line - 1 : line + 9]
        if any(re.match(rf"\s*(async\s+)?def\s+{re.escape(function)}\b", text) for text in head):
            return path
    return None
