"""What a test runner's answer says, in whatever of these shapes it comes.

- a dictionary, or an object with these as attributes: `passed`, `failed`, `errors`, `skipped` as numbers or as lists;
  `tests` as a list of names with an `outcome`, or as their number; `summary` with the same; `success`, `exitcode`;
  `coverage`, `failures`, `path`
- a `unittest.TestResult`
- a pair, three or four numbers: (passed, failed[, errors[, skipped]]); a pair (True or False, what was said)
- True or False alone
- text with pytest's last line, `3 passed, 1 failed in 0.12s`, or unittest's `Ran 4 tests` and `OK`; so too the output
  of a `subprocess.CompletedProcess`, whose exit code must agree
- an exit code of pytest (`pytest.ExitCode`)

Anything else is not understood, and then no success.  Where a word and the numbers disagree, the numbers count.
"""

from __future__ import annotations

import re
import subprocess
import unittest
from collections.abc import Mapping
from dataclasses import replace
from enum import IntEnum
from typing import Any

from agents.production.counts import COUNTS, MAX_FAILURES, TestCounts, counted
from agents.production.summaries import from_text

__all__ = ["read_tests"]


def read_tests(answer: Any) -> TestCounts:
    """What the answer says.  Raises only what an object's own attributes raise."""
    if isinstance(answer, bool):
        return TestCounts(said=answer)
    if isinstance(answer, IntEnum) and type(answer).__name__ == "ExitCode":
        return TestCounts(said=answer == 0, failures=() if answer == 0 else (f"pytest ended with {answer.name}",))
    if isinstance(answer, str):
        return from_text(answer)
    if isinstance(answer, subprocess.CompletedProcess):
        return _from_process(answer)
    if isinstance(answer, unittest.TestResult):
        return _from_unittest(answer)
    if isinstance(answer, tuple | list):
        return _from_numbers(answer)
    return _from_fields(answer if isinstance(answer, Mapping) else _Attributes(answer), type(answer).__name__)


class _Attributes(dict[str, Any]):
    """The attributes of an object that are asked for, as a dictionary."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self._answer = answer

    def get(self, key: str, default: Any = None) -> Any:
        value = getattr(self._answer, key, default)
        return default if callable(value) else value


def _from_fields(told: Mapping[str, Any], kind: str) -> TestCounts:
    summary = told.get("summary")
    counts = _counts(told)
    if not counts and isinstance(summary, Mapping):
        counts = _counts(summary)
    single = _single_tests(told.get("tests"))
    if single is not None:
        counts = counts or single[0]
    total: Any = next((n for n in map(told.get, ("total", "tests_run", "tests")) if _is_count(n)), None)
    if counts and "passed" not in counts and total is not None:
        counts["passed"] = max(0, total - sum(counts.values()))
    said = next((v for n in ("success", "all_passed", "ok") if isinstance(v := told.get(n), bool)), None)
    code = next((v for n in ("exitcode", "exit_code", "returncode") if _is_count(v := told.get(n))), None)
    if code is not None and said is not False:
        said = code == 0
    failures = [*_texts(told.get("failures")), *_texts(told.get("failed")), *(single[1] if single else ())]
    if not counts and said is None:
        return TestCounts(unknown=f"a {kind} without counts and without `success`")
    told_so = counted(counts) if counts else TestCounts()
    return replace(
        told_so,
        said=said,
        coverage=_coverage(told.get("coverage")),
        failures=tuple(dict.fromkeys(failures))[:MAX_FAILURES],
        path=tuple(_texts(told.get("path")) or _texts(told.get("execution_path"))),
    )


def _counts(told: Mapping[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, also in (("passed", "passes"), ("failed", "failures"), ("errors", "error"), ("skipped", "skips")):
        for value in (told.get(name), told.get(also)):
            count: Any = len(value) if isinstance(value, list | tuple) else value
            if _is_count(count):
                found[name] = count
                break
    return found


def _single_tests(tests: Any) -> tuple[dict[str, int], list[str]] | None:
    """Counts and names of failures of a list of tests; None where it is no such list."""
    if not isinstance(tests, list | tuple) or not all(isinstance(one, Mapping) for one in tests):
        return None
    counts, failures = dict.fromkeys(COUNTS, 0), []
    for one in tests:
        outcome = str(one.get("outcome") or one.get("status") or "").lower()
        name = str(one.get("nodeid") or one.get("name") or "a test")
        if outcome in ("passed", "pass", "ok", "xfailed"):
            counts["passed"] += 1
        elif outcome in ("skipped", "skip"):
            counts["skipped"] += 1
        else:
            counts["errors" if outcome == "error" else "failed"] += 1
            failures.append(name)
    return counts, failures


def _from_unittest(result: unittest.TestResult) -> TestCounts:
    failed, errors = len(result.failures) + len(result.unexpectedSuccesses), len(result.errors)
    bad = failed + errors + len(result.skipped)
    named = [str(test) for test, _ in (*result.failures, *result.errors)] + [str(t) for t in result.unexpectedSuccesses]
    return TestCounts(
        passed=max(0, result.testsRun - bad),
        failed=failed,
        errors=errors,
        skipped=len(result.skipped),
        failures=tuple(named[:MAX_FAILURES]),
        said=result.wasSuccessful(),
        counted=True,
    )


def _from_numbers(told: tuple[Any, ...] | list[Any]) -> TestCounts:
    if len(told) == 2 and isinstance(told[0], bool):
        rest = read_tests(told[1]) if isinstance(told[1], str | Mapping) else TestCounts(unknown="nothing more")
        if rest.unknown:
            return TestCounts(said=told[0], failures=() if told[0] else tuple(_texts(told[1]))[:MAX_FAILURES])
        return replace(rest, said=told[0] and rest.said is not False)
    if 2 <= len(told) <= len(COUNTS) and all(map(_is_count, told)):
        return counted(dict(zip(COUNTS, told, strict=False)))
    return TestCounts(
        unknown=f"a {type(told).__name__} of {len(told)} that are not (passed, failed[, errors[, skipped]])"
    )


def _from_process(process: subprocess.CompletedProcess[Any]) -> TestCounts:
    parts = (process.stdout, process.stderr)
    text = "\n".join(p.decode("utf-8", "replace") if isinstance(p, bytes) else str(p or "") for p in parts)
    read = from_text(text)
    ended_well = process.returncode == 0
    if read.unknown:
        return TestCounts(said=ended_well, failures=() if ended_well else (f"exit code {process.returncode}",))
    return replace(read, said=ended_well)


def _coverage(value: Any) -> float | None:
    """0 … 1 from a share or from per cent; of a dictionary its `percent` or `percent_covered`."""
    if isinstance(value, Mapping):
        value = next((v for n in ("percent_covered", "percent", "total") if (v := value.get(n)) is not None), None)
        value = value / 100 if isinstance(value, int | float) and not isinstance(value, bool) else None
    if isinstance(value, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", value)
        value = float(found[1]) / 100 if found else None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 100:
        return None
    return float(value) / 100 if value > 1 else float(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value[:500]] if value else []
    return [str(one)[:500] for one in value][:500] if isinstance(value, list | tuple) else []
