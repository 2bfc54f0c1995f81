"""The tests of a service in the sandbox, with coverage measured of what they run.

Coverage is of statements, by coverage.py, over every Python file of the service but its tests; a file that no test
imports counts with 0 %.  `# pragma: no cover` is not obeyed.  What runs in other processes is not seen.  The figures
are written by the process that the draft's code runs in: a draft that forges them is not found out here, one that
makes its tests pass is, by one test among them that must fail.
"""

from __future__ import annotations

import fnmatch
import json
import shlex
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.drafts import CheckFault, CheckSettings
from runtime.checks.pytest_results import RESULTS, is_pytest, plant, read_results, writing_results
from runtime.sandbox import Isolation, SandboxLimits
from runtime.sandbox.tree import run_in_tree, said

__all__ = ["CoveredRun", "FileCoverage", "run_covered", "under_coverage"]

REPORT = "coverage.json"
CONFIG = "coverage.ini"
MOST_TOLD = 20
"""Failed tests by name."""


@dataclass(frozen=True)
class FileCoverage:
    """Lines on which a statement begins, by whether the tests ran it."""

    run: frozenset[int]
    missed: frozenset[int]

    @property
    def percent(self) -> float:
        """100 for a file without statements."""
        count = len(self.run) + len(self.missed)
        return 100.0 * len(self.run) / count if count else 100.0


@dataclass(frozen=True)
class CoveredRun:
    """`coverage` is by path, None when there is no report; `passed` and `failed` count tests of pytest.

    `measured`: the part of it that is the service; empty: all of it.
    """

    faults: tuple[CheckFault, ...]
    passed: int = 0
    failed: int = 0
    seconds: float = 0.0
    coverage: Mapping[str, FileCoverage] | None = field(default=None)
    measured: tuple[str, ...] = ()

    @property
    def percent(self) -> float:
        """Of all statements of the service."""
        files = [one for path, one in (self.coverage or {}).items() if _is_measured(path, self.measured)]
        ran, count = sum(len(one.run) for one in files), sum(len(one.run) + len(one.missed) for one in files)
        return 100.0 * ran / count if count else 0.0


def under_coverage(command: Sequence[str]) -> list[str] | None:
    """The command with coverage.py in front of what Python runs; None when it does not start Python itself."""
    first, *rest = command
    if Path(first).name in ("pytest", "py.test"):
        rest = ["-m", "pytest", *rest]
    elif first not in ("{python}", sys.executable) and not Path(first).name.startswith("python"):
        return None
    ran = rest if rest and (rest[0] == "-m" or not rest[0].startswith("-")) else None
    return ["{python}", "-m", "coverage", "run", "--rcfile", f"$HOME/{CONFIG}", *ran] if ran else None


def run_covered(
    tree: Path,
    command: Sequence[str],
    settings: CheckSettings,
    isolation: Isolation,
    *,
    trusted: bool = False,
) -> CoveredRun:
    """Run the tests with `tree` as their folder.  Raises SandboxError."""
    covered = under_coverage(command)
    if covered is None:
        text = f"coverage is measured of `{{python}} …` and `pytest …`, not of {shlex.join(command)[:200]!r}"
        return CoveredRun((CheckFault(check="coverage", text=text),))
    counted = is_pytest(command)
    planted = plant([tree]) if counted else None
    words = writing_results(covered) if counted else shlex.join(covered).replace("'{python}'", '"$0"')
    script = words.replace(f"'$HOME/{CONFIG}'", f'"$HOME/{CONFIG}"')
    report = f'"$0" -m coverage json --quiet --rcfile "$HOME/{CONFIG}" -o "$HOME/{REPORT}"'
    try:
        ran = run_in_tree(
            tree,
            ["/bin/sh", "-c", f"{script}; code=$?; {report} || echo no report of coverage >&2; exit $code", "{python}"],
            limits=SandboxLimits(time_s=settings.tests_time_s, memory_mb=settings.memory_mb),
            isolation=isolation,
            trusted=trusted,
            environment={**settings.environment, "COVERAGE_CORE": "ctrace"},
            work={CONFIG: _config(settings)},
            outputs=[REPORT, *([RESULTS] if counted else [])],
        )
    finally:
        if planted is not None:
            planted.unlink(missing_ok=True)
    coverage = _coverage(ran.outputs.get(REPORT, b""))
    results = read_results(ran.outputs.get(RESULTS, b""))
    mine = {name for name in results if planted is not None and planted.stem in name}
    passed = sum(good for name, good in results.items() if name not in mine)
    failed = sorted(name for name, good in results.items() if not good and name not in mine)
    texts: list[str] = []
    if any(results[name] for name in mine):
        texts.append("a test that cannot pass passed: the results of the tests are forged")
    elif planted is not None and passed and not mine:
        texts.append("the results are not pytest's: a test that was put beside the others is not in them")
    texts += [f"{name} failed" for name in failed[:MOST_TOLD]]
    if len(failed) > MOST_TOLD:
        texts.append(f"{len(failed) - MOST_TOLD} more tests failed")
    wanted = 1 if mine or failed else 0
    if counted and not passed:
        texts.append(f"no test passed: {said(ran)}")
    elif ran.ended != "exit" or ran.exit_code != wanted:
        texts.append(f"the tests did not end as they should: {said(ran)}")
    return CoveredRun(
        tuple(CheckFault(check="tests", text=text) for text in texts), passed, len(failed), ran.duration_s, coverage,
        settings.measured,
    )  # fmt: skip


def _is_measured(path: str, measured: Collection[str]) -> bool:
    """Whether a path is one of these files, in one of these folders, or fits one of these patterns."""
    names = [name.removeprefix("./").rstrip("/") for name in measured]
    return not names or any(path.startswith(f"{name}/") or fnmatch.fnmatchcase(path, name) for name in names)


def _config(settings: CheckSettings) -> bytes:
    left_out = "".join(f"\n    {pattern}" for pattern in settings.not_measured)
    lines = [
        "[run]", "source = .", "relative_files = True", "data_file = ${HOME}/.coverage", f"omit ={left_out}",
        "[report]", "exclude_lines =", "    (?!)", "ignore_errors = True", "skip_empty = False",
        "include_namespace_packages = True",  # else what no test imports is looked for in packages only
    ]  # fmt: skip
    return "\n".join([*lines, ""]).encode()


def _coverage(report: bytes) -> dict[str, FileCoverage] | None:
    """The report of coverage.py, which the tests could have written; None where it is none."""
    try:
        files = json.loads(report)["files"]
        return {
            str(path): FileCoverage(_lines(told["executed_lines"]), _lines(told["missing_lines"]))
            for path, told in files.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _lines(told: Collection[int]) -> frozenset[int]:
    return frozenset(int(line) for line in told)
