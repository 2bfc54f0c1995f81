"""The tester: runs tests by whatever function it is given, and logs what they came to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agents.production.logger import OutcomeTrajectoryLogger
from agents.production.verdicts import read_tests
from agents.production.work import Judgement, LoggingAgent, entries
from core.ids import Clock, system_clock

__all__ = ["QAAgent"]


class QAAgent(LoggingAgent):
    """Runs tests.  Close it, or its logger, at the end: what is being logged is then waited for."""

    def __init__(
        self,
        logger: OutcomeTrajectoryLogger,
        name: str = "qa",
        *,
        task_type: str = "testing",
        clock: Clock = system_clock,
    ) -> None:
        super().__init__(logger, name, task_type, clock=clock)

    async def run_tests_with_logging(
        self, task_description: str, test_runner_func: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """What `test_runner_func(*args, **kwargs)` returns, sync (in a thread) or async; its errors pass through.

        The outcome is logged beside it: a success when every test that ran passed, and one did (`read_tests` says which
        answers are understood).  Counts, coverage, failures and the path are logged.
        """
        return await self._logged(_judged, task_description, test_runner_func, args, kwargs)


def _judged(result: Any) -> Judgement:
    tests = read_tests(result)
    return Judgement(
        success=tests.success,
        result=tests.as_data() | {"answer": result},
        failure_reasons=tests.reasons(),
        steps=tests.path or entries(result, "steps", "execution_path"),
        tools=entries(result, "tools_used", "tools"),
        sources=entries(result, "learned_from"),
    )
