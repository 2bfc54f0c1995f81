"""Work that is logged by whoever does it: run, judged, handed to the logger, and never disturbed."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.production.logger import OutcomeTrajectoryLogger
from agents.production.path import ExecutionPath, note_source, recording
from core.ids import Clock, system_clock
from core.production import MAX_TEXT, TRAINING, ExtractedPlan, ProductionOutcome
from memory.outcomes import OutcomeStore

__all__ = ["Judgement", "LoggingAgent", "entries"]

MAX_REASON = 500


@dataclass(frozen=True)
class Judgement:
    """What an agent makes of a result."""

    success: bool
    result: Any = None
    failure_reasons: Sequence[str] = ()
    steps: Sequence[str] = ()
    tools: Sequence[str] = ()
    sources: Sequence[str] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


class LoggingAgent:
    """An agent with a name whose work goes to a logger.  Its tasks are of one type unless they say otherwise."""

    def __init__(
        self, logger: OutcomeTrajectoryLogger, name: str, task_type: str, *, clock: Clock = system_clock
    ) -> None:
        self.logger = logger
        self.name = name
        self.task_type = task_type
        self._clock = clock

    async def plans_for(self, task_description: str, limit: int = 3, *, follow: bool = False) -> list[ExtractedPlan]:
        """Plans of any agent most like the task; [] without a store.  What others made is marked as read by this one.

        With `follow`, inside of logged work, the outcome will say that it made use of them.
        """
        store = self.logger.store
        if store is None:
            return []
        items = await store.asearch((TRAINING,), query=task_description, limit=limit, reader=self.name)
        found = await asyncio.to_thread(_plans, store, [item.key for item in items])
        for plan in found if follow else ():
            note_source(plan.source_outcome)
        return found

    async def aclose(self, timeout_s: float = 10.0) -> bool:
        """Store what is still being logged, for so long at most, and close the logger; whether all is stored."""
        return await self.logger.aclose(timeout_s)

    async def _logged(
        self,
        judge: Callable[[Any], Judgement],
        task: str,
        work: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Any:
        """The work's own answer, or its own error.  A function that is no coroutine runs in a thread."""
        started_at, began = self._clock(), time.monotonic()
        with recording() as path:
            try:
                result = await _run(work, args, kwargs)
            except BaseException as error:
                failure = Judgement(success=False, failure_reasons=[_reason(error)])
                self._log(lambda: failure, task, path, started_at, time.monotonic() - began)
                raise
            self._log(lambda: judge(result), task, path, started_at, time.monotonic() - began)
        return result

    def _log(
        self, judged: Callable[[], Judgement], task: str, path: ExecutionPath, started_at: float, duration_s: float
    ) -> None:
        try:
            told = judged()
            self.logger.log_soon(
                ProductionOutcome(
                    agent=self.name,
                    task=str(task)[:MAX_TEXT],
                    task_type=self.task_type,
                    success=told.success,
                    result=told.result,
                    execution_path=tuple(path.steps) or tuple(told.steps),
                    tools_used=tuple(path.tools) or tuple(told.tools),
                    duration_s=duration_s,
                    failure_reasons=tuple(reason[:MAX_REASON] for reason in told.failure_reasons),
                    learned_from=tuple(dict.fromkeys((*path.sources, *told.sources))),
                    started_at=started_at,
                    metadata=dict(told.metadata),
                )
            )
        except Exception as error:  # noqa: BLE001  # a logging failure never fails the work
            self.logger.trouble("failed", f"{type(error).__name__}: {error}")


async def _run(work: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    is_async = inspect.iscoroutinefunction(work) or inspect.iscoroutinefunction(getattr(work, "__call__", None))  # noqa: B004
    result = work(*args, **kwargs) if is_async else await asyncio.to_thread(work, *args, **kwargs)
    return await result if isinstance(result, Awaitable) else result


def entries(result: Any, *names: str) -> list[str]:
    """The texts that a dictionary has under the first of these names that holds a list."""
    if isinstance(result, Mapping):
        for name in names:
            if isinstance(told := result.get(name), list | tuple):
                return [str(one)[:1_000] for one in told][:500]
    return []


def _reason(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError):
        return "cancelled"
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _plans(store: OutcomeStore, keys: Sequence[str]) -> list[ExtractedPlan]:
    plans = store.plans(keys)
    return [plans[key] for key in keys if key in plans]
