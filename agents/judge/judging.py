"""The judging of one candidate: gates first, cheapest first, and the benchmark only for what passed them all."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.judge.profiling import profile
from agents.judge.records import Judgement, Plan, TestCount
from agents.judge.testing import run_tests
from agents.judge.timing import Refused, Timed, time_pairs
from core.errors import SandboxError, UnavailableError
from runtime.checks.ruff import faults
from runtime.sandbox import Isolation, find_isolation

__all__ = ["judge"]


def judge(plan: Plan, told: Callable[[Timed], None] = lambda _: None) -> Judgement:
    """The judgement; a candidate that is refused is one too.  `told` hears of every pair."""
    isolation = find_isolation()
    about: dict[str, Any] = {"isolation": dict(isolation.enforced), "isolation_level": isolation.level}
    tests = TestCount()
    try:
        _intact(plan)
        _compiles(plan)
        _lint(plan)
        tests = _tested(plan, isolation)
        timed = time_pairs(plan, isolation, told)
        _intact(plan)
        # a base, and what is faster than its parents, will be gone on from
        wanted = plan.noise is None or (timed.answer is not None and timed.answer.answer == "better")
        where = profile(plan, plan.candidate, isolation) if wanted else {}
    except Refused as refused:
        return Judgement(cause=refused.cause, reason=refused.reason, tests=refused.tests or tests, **about)
    except SandboxError as error:
        return Judgement(cause="isolation", reason=f"{error.what}; {error.where}; {error.hint}", **about)
    assert timed.answer is not None
    found = timed.answer
    return Judgement(
        answer=found.answer,
        reason=found.reason,
        metrics={
            **_medians(timed),
            "base_seconds": statistics.median(base for base, _ in timed.pairs),
            "speedup": found.estimate,
            "speedup_low": max(found.low, 0.0),
            **({"speedup_high": found.high} if found.high < float("inf") else {}),
            "pairs": float(found.pairs),
            "tests": float(len(tests.passed)),
        },
        tests=tests,
        pairs=tuple(timed.pairs),
        profile=where,
        level=found.level,
        noise=timed.noise,
        **about,
    )


def _intact(plan: Plan) -> None:
    """Raises Refused when the judge's own files, in either tree, are not what they were."""
    for path, wanted in plan.judged.items():
        for tree in (plan.base, plan.candidate):
            if _hash(tree / path) != wanted:
                raise Refused("damaged", f"{path} is not what it was when the campaign began: nothing was judged")


def _hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _compiles(plan: Plan) -> None:
    for path in plan.changed:
        file = plan.candidate / path
        if path.endswith(".py") and file.exists():
            try:
                compile(file.read_bytes(), path, "exec", dont_inherit=True)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                raise Refused("syntax", f"{path} does not compile: {error}") from error


def _lint(plan: Plan) -> None:
    """Raises Refused for a fault that the base does not have; without ruff this gate is left out."""
    for path in plan.changed:
        file, before = plan.candidate / path, plan.base / path
        if not path.endswith(".py") or not file.exists():
            continue
        try:
            old = faults(before.read_text(encoding="utf-8"), path) if before.exists() else []
            new = [fault for fault in faults(file.read_text(encoding="utf-8"), path) if fault not in old]
        except (UnavailableError, UnicodeDecodeError):
            return
        if new:
            raise Refused("lint", f"{path}: {new[0]}")


def _tested(plan: Plan, isolation: Isolation) -> TestCount:
    tests, cause, reason = run_tests(plan, isolation)
    if cause:
        raise Refused(cause, reason, tests)
    return tests


def _medians(timed: Timed) -> dict[str, float]:
    """Of the metrics that every run of the candidate gave."""
    names = [name for name in timed.metrics[0] if all(name in one for one in timed.metrics)]
    return {name: statistics.median(one[name] for one in timed.metrics) for name in names}
