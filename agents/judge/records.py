"""What the judge is asked, and what it answers."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from core.campaign import CodePlan
from core.records import Record

__all__ = ["Cause", "Judgement", "Plan", "TestCount"]

Cause = Literal[
    "", "damaged", "syntax", "lint", "tests", "tampered", "benchmark", "wrong_result", "untimed", "isolation"
]
"""Why a candidate was not measured:

damaged        tests, benchmark or base are not what they were: nothing was judged
syntax         a changed file does not compile
lint           a changed file newly has what never works: an undefined name, a return outside a function, …
tests          a test failed, or one that the base passes is missing
tampered       the test that must fail did not: what the tests say is not to be believed
benchmark      it ended with an error, at a limit, or without its result
wrong_result   its results are not the base's
untimed        the clock outside says otherwise: time was spent where it is not measured, or not told
isolation      there is none here for code that nobody trusts
"""


class Plan(Record):
    """One candidate against its base.

    `base` and `candidate` are laid out trees; `judged` are the hashes of what no candidate may touch.  `noise`: the
    standard deviation of log(base / base) of one pair, None for the base itself, which is there to find it out.
    `tests`: what the base passes, None where that is not known yet.
    """

    code: CodePlan
    base: Path
    candidate: Path
    changed: tuple[str, ...] = ()
    judged: dict[str, str] = Field(default={}, description="path → SHA-256")
    seed: int = 0
    noise: float | None = None
    tests: tuple[str, ...] | None = None
    planted: bool = Field(default=True, description="whether the planted test is run; some commands name their files")
    environment: dict[str, str] = Field(default={}, description="added to the clean environment of every run")
    trusted: bool = Field(default=False, description="a person on this machine says that the code may run unconfined")


class TestCount(Record):
    """The tests by their names; `counted`: from their own results, not from the exit code alone."""

    __test__ = False  # no test of pytest's

    passed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    counted: bool = False
    planted: bool = Field(default=False, description="a test that must fail was among them, and failed")
    seconds: float = 0.0


class Judgement(Record):
    """What came of it.  `metrics` are medians over the candidate's runs, and `speedup` with its interval."""

    cause: Cause = ""
    reason: str = ""
    answer: str = Field(default="", description="better, worse, same, cannot tell")
    metrics: dict[str, float] = Field(default={})
    tests: TestCount = TestCount()
    pairs: tuple[tuple[float, float], ...] = Field(default=(), description="seconds of base and candidate, in order")
    profile: dict[str, float] = Field(default={}, description="path:function → share of the benchmark's time")
    level: float = 0.95
    noise: float | None = None
    isolation: dict[str, str] = Field(default={})
    isolation_level: int = 0
