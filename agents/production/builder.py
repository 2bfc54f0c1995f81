"""The builder: writes code by whatever function it is given, and logs what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agents.production.logger import OutcomeTrajectoryLogger
from agents.production.work import Judgement, LoggingAgent, entries
from core.ids import Clock, system_clock

__all__ = ["BuilderAgent"]


class BuilderAgent(LoggingAgent):
    """Generates code.  Close it, or its logger, at the end: what is being logged is then waited for."""

    def __init__(
        self,
        logger: OutcomeTrajectoryLogger,
        name: str = "builder",
        *,
        task_type: str = "code_generation",
        clock: Clock = system_clock,
    ) -> None:
        super().__init__(logger, name, task_type, clock=clock)

    async def generate_code_with_logging(
        self, task_description: str, code_generator_func: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """What `code_generator_func(*args, **kwargs)` returns, sync (in a thread) or async; its errors pass through.

        The outcome is logged beside it.  It is a success unless the function raised, was cancelled, or returned a
        dictionary whose `success` is False (`error`, `errors` say why).  Of a dictionary, `code` is the code, and
        `steps`, `tools_used`, `learned_from` are the path, where the function did not note it (`note_step`,
        `note_tool`, `note_source`).  A text is the code itself.
        """
        return await self._logged(_judged, task_description, code_generator_func, args, kwargs)


def _judged(result: Any) -> Judgement:
    if isinstance(result, str):
        return Judgement(success=True, result={"code": result})
    success = not (isinstance(result, Mapping) and result.get("success") is False)
    reasons = entries(result, "errors", "failure_reasons")
    if not success and not reasons and isinstance(result, Mapping):
        reasons = [str(result.get("error") or "the generator said that it failed")]
    return Judgement(
        success=success,
        result=result,
        failure_reasons=[] if success else reasons,
        steps=entries(result, "steps", "execution_path"),
        tools=entries(result, "tools_used", "tools"),
        sources=entries(result, "learned_from"),
    )
