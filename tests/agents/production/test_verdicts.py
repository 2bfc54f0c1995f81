"""What test runners answer, in every shape that is understood, from real runners where there are any."""

from __future__ import annotations

import subprocess
import sys
import types
import unittest
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.production.verdicts import read_tests


@pytest.mark.parametrize(
    ("answer", "success", "counts"),
    [
        ({"passed": 3, "failed": 0}, True, (3, 0, 0, 0)),
        ({"passed": 3, "failed": 1}, False, (3, 1, 0, 0)),
        ({"passed": 3, "errors": 1}, False, (3, 0, 1, 0)),
        ({"passed": 3, "skipped": 2}, True, (3, 0, 0, 2)),
        ({"passed": 0, "failed": 0}, False, (0, 0, 0, 0)),
        ({"passed": ["a", "b"], "failed": []}, True, (2, 0, 0, 0)),
        ({"passed": ["a"], "failures": ["b"]}, False, (1, 1, 0, 0)),
        ({"total": 5, "failed": 2}, False, (3, 2, 0, 0)),
        ({"tests_run": 5, "failed": 0}, True, (5, 0, 0, 0)),
        ({"tests": 4, "failures": 0, "errors": 0}, True, (4, 0, 0, 0)),
        ({"summary": {"passed": 2, "failed": 0, "total": 2}, "exitcode": 0}, True, (2, 0, 0, 0)),
        ({"summary": {"passed": 2}, "exitcode": 3}, False, (2, 0, 0, 0)),
        ({"tests": [{"nodeid": "a", "outcome": "passed"}, {"nodeid": "b", "outcome": "failed"}]}, False, (1, 1, 0, 0)),
        ({"tests": [{"name": "a", "status": "PASS"}]}, True, (1, 0, 0, 0)),
        ({"success": True, "passed": 1, "failed": 2}, False, (1, 2, 0, 0)),
        ({"success": False, "passed": 1, "failed": 0}, False, (1, 0, 0, 0)),
        ({"all_passed": True}, True, (0, 0, 0, 0)),
        (types.SimpleNamespace(passed=2, failed=0), True, (2, 0, 0, 0)),
        (types.SimpleNamespace(success=False), False, (0, 0, 0, 0)),
        ((3, 0), True, (3, 0, 0, 0)),
        ((3, 0, 1, 2), False, (3, 0, 1, 2)),
        ([3, 1], False, (3, 1, 0, 0)),
        ((True, "2 passed in 0.10s"), True, (2, 0, 0, 0)),
        ((True, "1 failed, 2 passed in 0.10s"), False, (2, 1, 0, 0)),
        ((False, "it broke"), False, (0, 0, 0, 0)),
        ((True, None), True, (0, 0, 0, 0)),
        (True, True, (0, 0, 0, 0)),
        (False, False, (0, 0, 0, 0)),
        (pytest.ExitCode.OK, True, (0, 0, 0, 0)),
        (pytest.ExitCode.NO_TESTS_COLLECTED, False, (0, 0, 0, 0)),
        ("= 3 passed, 1 skipped, 2 warnings in 0.12s =", True, (3, 0, 0, 1)),
        ("= 1 failed, 3 passed, 1 error in 61.2s (0:01:01) =", False, (3, 1, 1, 0)),
        ("2 passed, 1 xfailed in 0.1s", True, (3, 0, 0, 0)),
        ("2 passed, 1 xpassed in 0.1s", False, (2, 1, 0, 0)),
        ("no tests ran in 0.01s", False, (0, 0, 0, 0)),
        ("Ran 4 tests in 0.001s\n\nOK (skipped=1)", True, (3, 0, 0, 1)),
        ("Ran 4 tests in 0.001s\n\nFAILED (failures=1, errors=1, unexpected successes=1)", False, (1, 2, 1, 0)),
    ],
)
def test_shapes(answer: Any, success: bool, counts: tuple[int, int, int, int]) -> None:
    read = read_tests(answer)
    assert (read.passed, read.failed, read.errors, read.skipped) == counts
    assert read.success == success
    assert bool(read.reasons()) != success
    assert not read.unknown


@pytest.mark.parametrize(
    "answer", [None, 0, 7, 3.5, {}, {"passed": "all"}, "fine", (), (1,), ("a", "b"), (1, 2, 3, 4, 5), [{}]]
)
def test_what_is_not_understood_is_no_success_and_says_so(answer: Any) -> None:
    read = read_tests(answer)
    assert not read.success
    assert "not understood" in read.reasons()[0]


@pytest.mark.parametrize(
    ("said", "coverage"),
    [
        (0.93, 0.93), (93, 0.93), (93.5, 0.935), ("88%", 0.88), (1, 1.0), ({"percent_covered": 41.0}, 0.41),
        (-1, None), (400, None), ("much", None), (True, None), (None, None), ({}, None),
    ],
)  # fmt: skip
def test_coverage_is_a_share(said: Any, coverage: float | None) -> None:
    assert read_tests({"passed": 1, "coverage": said}).coverage == (
        None if coverage is None else pytest.approx(coverage)
    )


@given(st.tuples(*[st.integers(0, 9)] * 4))
def test_success_is_every_test_that_ran_passed_and_one_did(counts: tuple[int, int, int, int]) -> None:
    passed, failed, errors, _ = counts
    expected = passed > 0 and not failed and not errors
    named = dict(zip(("passed", "failed", "errors", "skipped"), counts, strict=True))
    line = ", ".join(f"{n} {name.replace('errors', 'error')}" for name, n in named.items())
    for answer in (counts, named, {"summary": named}, f"{line} in 0.1s"):
        assert read_tests(answer).success == expected


SUITE = """
import unittest
class Sums(unittest.TestCase):
    def test_good(self): self.assertEqual(1 + 1, 2)
    def test_bad(self): self.assertEqual(1 + 1, 3)
    @unittest.skip("no")
    def test_skipped(self): pass
"""


@pytest.mark.slow
@pytest.mark.parametrize("module", ["pytest", "unittest"])
def test_a_real_runner_in_a_process(tmp_path: Path, module: str) -> None:
    (tmp_path / "test_sums.py").write_text(SUITE)
    words = [sys.executable, "-m", module, "test_sums.py"]
    process = subprocess.run(words, cwd=tmp_path, capture_output=True, text=module == "pytest", timeout=60, check=False)
    read = read_tests(process)
    assert (read.passed, read.failed, read.skipped, read.success) == (1, 1, 1, False)
    assert any("test_bad" in name for name in read.failures)
    (tmp_path / "test_sums.py").write_text(SUITE.replace("3)", "2)"))
    process = subprocess.run(words, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert read_tests(process).success
    process.returncode = 1
    assert not read_tests(process).success


def test_a_real_unittest_result() -> None:
    space: dict[str, Any] = {}
    exec(SUITE, space)  # the suite of above
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(space["Sums"]).run(result)
    read = read_tests(result)
    assert (read.passed, read.failed, read.skipped, read.success) == (1, 1, 1, False)
    assert "test_bad" in read.failures[0]
