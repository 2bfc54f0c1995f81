"""What speaks for a change, as data: it is shown in the pull request, and never as anything but text."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from core.records import Record, Vote

__all__ = ["Evidence", "Measurement", "Risk", "Tests"]


class Tests(Record):
    """A run of tests.  `duration_s` None: not measured."""

    __test__: ClassVar[bool] = False  # pytest collects what is called Test

    passed: int = Field(ge=0)
    failed: int = Field(default=0, ge=0)
    skipped: int = Field(default=0, ge=0)
    duration_s: float | None = Field(default=None, ge=0)
    command: str = ""


class Measurement(Record):
    """A benchmark before and after the change, in `unit`.  `low` and `high` bound the change in per cent, at 95 %."""

    name: str
    before: float
    after: float
    unit: str = ""
    higher_is_better: bool = False
    low: float | None = None
    high: float | None = None

    @property
    def change(self) -> float | None:
        """In per cent of `before`; None where that is zero."""
        return 100 * (self.after - self.before) / abs(self.before) if self.before else None

    @property
    def better(self) -> bool | None:
        """None: the interval holds zero, or nothing changed."""
        bounds = [b for b in (self.low, self.high) if b is not None] or [self.after - self.before]
        signs = {(b > 0) - (b < 0) for b in bounds}
        if len(signs) != 1 or signs == {0}:
            return None
        return (signs == {1}) == self.higher_is_better


class Risk(Record):
    """`score` in 0 … 1, the higher the riskier."""

    score: float = Field(ge=0, le=1)
    level: str = ""
    reason: str = ""


class Evidence(Record):
    """All that is known for and against a change; what is not known is left out."""

    tests: Tests | None = None
    benchmarks: tuple[Measurement, ...] = ()
    votes: tuple[Vote, ...] = ()
    risk: Risk | None = None
    notes: tuple[str, ...] = ()
