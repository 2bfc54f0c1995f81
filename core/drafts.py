"""A change of a live service before it is deployed: the draft, and what the checks found about it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from core.ids import content_id
from core.records import Record

__all__ = [
    "CheckFault",
    "CheckName",
    "CheckResult",
    "CheckSettings",
    "DraftSource",
    "ImprovementDraft",
    "NeedsModel",
    "Validation",
]

DraftSource = Literal["rules", "model"]
CheckName = Literal["files", "syntax", "interface", "imports", "types", "security", "complexity", "tests", "coverage"]


class ImprovementDraft(Record):
    """New text for files of a service, made for one opportunity.  The id comes from the opportunity and the files."""

    id: str
    opportunity_id: str
    files: dict[str, str] = Field(min_length=1, description="path below the service's root → its whole new text")
    source: DraftSource
    transformations: tuple[str, ...] = Field(default=(), description="what the rules did, `name in function` each")
    assumes: tuple[str, ...] = Field(default=(), description="conditions the code itself does not prove; empty: exact")
    reason: str

    @classmethod
    def make(
        cls,
        opportunity_id: str,
        files: dict[str, str],
        source: DraftSource,
        reason: str,
        *,
        transformations: tuple[str, ...] = (),
        assumes: tuple[str, ...] = (),
    ) -> ImprovementDraft:
        return cls(
            id=content_id("d", opportunity_id, files),
            opportunity_id=opportunity_id,
            files=files,
            source=source,
            transformations=transformations,
            assumes=assumes,
            reason=reason,
        )


class NeedsModel(Record):
    """No rule fits the opportunity, and there is no model, or its answer could not be used."""

    opportunity_id: str
    reason: str


class CheckSettings(Record):
    """What a draft has to meet, and what its checks may use.  Times are seconds, sizes megabytes."""

    most_complexity: int = Field(default=10, gt=0, description="McCabe's count of a function must stay below it")
    coverage_percent: float = Field(
        default=80.0, ge=0, lt=100, description="to exceed, by the service and each changed file"
    )
    tool_time_s: float = Field(default=60.0, gt=0, description="of one run of mypy or bandit")
    tests_time_s: float = Field(default=120.0, gt=0)
    memory_mb: float = Field(default=1024.0, gt=0)
    environment: dict[str, str] = Field(default={}, description="of the tests, beside what every command gets")
    not_measured: tuple[str, ...] = Field(
        default=("tests/*", "test_*.py", "*/test_*.py", "conftest.py", "*/conftest.py"),
        description="patterns of paths that coverage leaves out",
    )
    measured: tuple[str, ...] = Field(
        default=(), description="files, folders or patterns that are the service to coverage; empty: all"
    )
    cache: str = Field(default="", description="folder in which mypy keeps what it knows; empty: none is kept")


class CheckFault(Record):
    """One thing that is wrong.  `line` counts from 1; 0 is the whole file, an empty path the whole draft."""

    check: CheckName
    text: str
    path: str = ""
    line: int = Field(default=0, ge=0)

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.path and self.line else self.path
        return f"{self.check}: {place}: {self.text}" if place else f"{self.check}: {self.text}"


class CheckResult(Record):
    """What one check found.  A check that could not be done because of another one's faults is `skipped`."""

    name: CheckName
    status: Literal["passed", "failed", "skipped"]
    faults: tuple[CheckFault, ...] = ()
    known: tuple[CheckFault, ...] = Field(default=(), description="found in the version before as well; no failure")
    figures: dict[str, float] = Field(default={}, description="what was measured, by name")
    reason: str = Field(default="", description="why it was skipped")
    seconds: float = Field(default=0.0, ge=0)


class Validation(Record):
    """All checks of a draft.  It failed if any did; every fault of every check is there."""

    draft_id: str
    checks: tuple[CheckResult, ...]
    seconds: float = Field(default=0.0, ge=0)
    isolation: str = Field(default="", description="in which the tests ran, such as `level 3`")

    @property
    def ok(self) -> bool:
        return bool(self.checks) and all(check.status == "passed" for check in self.checks)

    @property
    def errors(self) -> tuple[str, ...]:
        """Every fault as one line for a person; what was skipped, too."""
        faults = [str(fault) for check in self.checks for fault in check.faults]
        skipped = [f"{check.name}: not done: {check.reason}" for check in self.checks if check.status == "skipped"]
        return (*faults, *skipped)

    def check(self, name: CheckName) -> CheckResult | None:
        return next((one for one in self.checks if one.name == name), None)

    def figure(self, name: str, default: float = 0.0) -> float:
        """A measured number by name, such as `coverage_percent`, whichever check measured it."""
        return next((one.figures[name] for one in self.checks if name in one.figures), default)
