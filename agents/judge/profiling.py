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
LINE = re.compile(
    r"^\s*[\d/]+\s+([\d.]+)\s+[\d.]+\s+[\d.]+\s+[\d.]+\s+(?:.*/inputs/tree/)?([^\s:(){}<>]+\.py):\d+\((\w+)\)$"
)
"""A line of pstats: calls, total time in the function, …, file:line(function)."""


def profile(plan: Plan, tree: Path, isolation: Isolation) -> dict[str, float]:
    """`path:function` → its own share of the time; empty where the benchmark is no Python script or does not end well.

    Functions of one name in one file are added up.
    """
    command = list(plan.code.benchmark)
    if command[0] != "{python}" or len(command) < 2 or not command[1].endswith(".py"):
        return {}
    words = ["{python}", "-m", "cProfile", "-s", "tottime", *command[1:], "--seed", str(plan.seed)]
    ran = run_in_tree(plan, tree, words, isolation)
    if ran.ended != "exit" or ran.exit_code != 0:
        return {}
    seconds: dict[str, float] = {}
    for line in ran.stdout.decode("utf-8", "replace").splitlines():
        found = LINE.match(line)
        if found and (tree / found[2]).is_file():
            name = f"{found[2]}:{found[3]}"
            seconds[name] = seconds.get(name, 0.0) + float(found[1])
    total = sum(seconds.values())
    if total <= 0:
        return {}
    best = sorted(seconds.items(), key=lambda item: -item[1])[:MOST]
    return {name: round(one / total, 4) for name, one in best if one > 0}
