"""The tests of a candidate, counted one by one where they are pytest's.

Beside them lies one more test, under a name drawn here, that must fail: whoever makes all tests pass, by whatever
trick, makes that one pass too.
"""

from __future__ import annotations

from collections.abc import Sequence

from agents.judge.records import Cause, Plan, TestCount
from agents.judge.runs import run_in_tree, said
from runtime.checks.pytest_results import RESULTS, is_pytest, plant, read_results, writing_results
from runtime.sandbox import Isolation, SandboxRun

__all__ = ["run_tests"]


def run_tests(plan: Plan, isolation: Isolation) -> tuple[TestCount, Cause, str]:
    """The count; the cause why the candidate is refused, empty when it is not; and the reason."""
    planted = plant(plan.candidate / path for path in plan.code.judge) if is_pytest(plan.code.tests) else None
    try:
        ran = run_in_tree(plan, plan.candidate, _command(plan.code.tests), isolation, outputs=[RESULTS])
    finally:
        if planted is not None:
            planted.unlink(missing_ok=True)
    if not is_pytest(plan.code.tests):
        return _by_exit_code(ran)
    results = read_results(ran.outputs.get(RESULTS, b""))
    if not results:
        why = f"the tests did not run: {said(ran)}" + "".join(f" ({r})" for r in ran.refused.values())
        return TestCount(seconds=ran.duration_s), "tests", why
    mine = planted.stem if planted is not None else None
    ours = {name: passed for name, passed in results.items() if mine is None or mine not in name}
    failing = [passed for name, passed in results.items() if mine is not None and mine in name]
    count = TestCount(
        passed=tuple(sorted(name for name, passed in ours.items() if passed)),
        failed=tuple(sorted(name for name, passed in ours.items() if not passed)),
        counted=True,
        planted=failing == [False],
        seconds=ran.duration_s,
    )
    if any(failing):
        return count, "tampered", "a test that cannot pass passed: the candidate forges the results of its tests"
    if count.failed:
        return count, "tests", f"{len(count.failed)} of {len(ours)} tests failed: {', '.join(count.failed[:3])}"
    if plan.tests is not None and plan.planted and not failing:
        return count, "tampered", "the results are not pytest's: a test that was put beside the others is not in them"
    missing = sorted(set(plan.tests or ()) - set(count.passed))
    if missing:
        return count, "tests", f"{len(missing)} tests that the base passes did not run: {', '.join(missing[:3])}"
    if not count.passed:
        return count, "tests", "no test ran"
    if ran.ended != "exit" or ran.exit_code != (1 if count.planted else 0):
        return count, "tests", f"the tests did not end as they should: {said(ran)}"
    return count, "", ""


def _command(command: Sequence[str]) -> list[str]:
    """With pytest's results written where they can be fetched from."""
    return ["/bin/sh", "-c", writing_results(command), "{python}"] if is_pytest(command) else list(command)


def _by_exit_code(ran: SandboxRun) -> tuple[TestCount, Cause, str]:
    passed = ran.ended == "exit" and ran.exit_code == 0
    count = TestCount(passed=("exit code 0",) if passed else (), seconds=ran.duration_s)
    return count, "" if passed else "tests", "" if passed else f"the tests failed: {said(ran)}"
