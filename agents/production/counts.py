"""What tests came to: counts, and when that is a success."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["COUNTS", "MAX_FAILURES", "TestCounts", "counted"]

COUNTS = ("passed", "failed", "errors", "skipped")
MAX_FAILURES = 50


@dataclass(frozen=True)
class TestCounts:
    """What the tests came to.  `coverage` is 0 … 1; `said` is the runner's own word about the whole, if it gave one."""

    __test__ = False  # pytest collects what is called Test

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    coverage: float | None = None
    failures: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    said: bool | None = None
    counted: bool = False
    unknown: str = ""
    """What the answer was, where it was not understood."""

    @property
    def success(self) -> bool:
        """Every test that ran passed, and one did; by the runner's word where it counted nothing."""
        if self.unknown:
            return False
        if not self.counted:
            return self.said is True
        return self.passed > 0 and not self.failed and not self.errors and self.said is not False

    def reasons(self) -> list[str]:
        """Why it was no success."""
        if self.success:
            return []
        if self.unknown:
            return [f"the answer of the test runner is not understood: {self.unknown}"]
        if self.failures:
            return list(self.failures)
        if self.failed or self.errors:
            return [f"{self.failed} tests failed, {self.errors} had errors"]
        if self.counted and not self.passed:
            return ["no test ran"]
        return ["the test runner said that they failed"]

    def as_data(self) -> dict[str, Any]:
        """As the outcome's result keeps it."""
        counts = {name: getattr(self, name) for name in COUNTS} if self.counted else {"all_passed": self.success}
        return {**counts, "coverage": self.coverage, "failures": list(self.failures)}


def counted(counts: Mapping[str, int], **more: Any) -> TestCounts:
    """Counts by name; those that are not named are 0."""
    numbers = {name: counts.get(name, 0) for name in COUNTS}
    return TestCounts(
        passed=numbers["passed"],
        failed=numbers["failed"],
        errors=numbers["errors"],
        skipped=numbers["skipped"],
        counted=True,
        **more,
    )
