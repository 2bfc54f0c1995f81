"""Outcomes logged beside the work: stored, made into a plan and a trajectory, and never in the way of whoever logs.

Storing and extracting happen in one thread, so outcomes keep their order and the caller's event loop is free.  What
was handed over is finished even if the loop ends before; only a killed process loses what still waited.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from agents.production.model_plans import extract_plan_with_model
from agents.production.plans import extract_plan
from agents.production.trajectories import trajectory_of
from core.models import Model
from core.production import ExtractedPlan, ProductionOutcome
from core.records import Trajectory
from memory.outcomes import OutcomeStore

__all__ = ["Counts", "Logged", "OutcomeTrajectoryLogger"]

MAX_PENDING = 256
CLOSE_S = 10.0
EMBED_AT_ONCE = 16


@dataclass(frozen=True)
class Logged:
    """An outcome as it was kept, the plan behind it if it was a success, and its trajectory."""

    outcome: ProductionOutcome
    plan: ExtractedPlan | None
    trajectory: Trajectory


@dataclass(frozen=True)
class Counts:
    """What became of what was handed over so far."""

    logged: int = 0
    plans: int = 0
    refined: int = 0
    """Plans that a model made finer."""
    malformed: int = 0
    """Given, and no outcome."""
    failed: int = 0
    """Not stored, or not stored whole, for an error."""
    lost: int = 0
    """Refused, as too many were waiting or the logger was closed."""


class OutcomeTrajectoryLogger:
    """Logs to a store; with a `model`, plans are refined by it.  Close it with `aclose`, or use it with `async with`.

    Nothing that is wrong with the logging reaches the caller: it is counted, and `warn` is told the first of it.
    Without a store plans and trajectories are made all the same, and nothing is kept.
    """

    def __init__(
        self,
        store: OutcomeStore | None,
        *,
        model: Model | None = None,
        max_pending: int = MAX_PENDING,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        self.store = store
        self._model = model
        self._max_pending = max_pending
        self._warn = warn or logging.getLogger("ratchet").warning
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log-outcomes")
        self._pending: set[Future[Logged | None]] = set()
        self._refining: set[asyncio.Task[None]] = set()
        self._counted: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._warned = False
        self._closed = False

    async def __aenter__(self) -> OutcomeTrajectoryLogger:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @property
    def counts(self) -> Counts:
        """What became of everything so far."""
        with self._lock:
            return Counts(**self._counted)

    async def log_outcome(self, outcome: ProductionOutcome | Mapping[str, Any]) -> Logged | None:
        """Store the outcome, its plan and, with a model, the refined plan; None when that did not work.

        Waits for it, and raises nothing but the cancellation of the caller, which undoes nothing.
        """
        future = self._hand_over(outcome)
        if future is None:
            return None
        logged = await asyncio.shield(asyncio.wrap_future(future))
        if logged is None or logged.plan is None or self._model is None:
            return logged
        return await self._refined(logged, self._model)

    def log_soon(self, outcome: ProductionOutcome | Mapping[str, Any]) -> bool:
        """The same in the background: hands it over and returns at once.  False when it was refused and is lost."""
        future = self._hand_over(outcome)
        if future is None:
            return False
        if self._model is not None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return True  # outside of asyncio the rules' plan stands
            task = loop.create_task(self._refine_later(future, self._model))
            self._refining.add(task)
            task.add_done_callback(self._refining.discard)
        return True

    async def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until all that was handed over is stored, for a time if given; whether it is."""
        loop = asyncio.get_running_loop()
        end = None if timeout_s is None else loop.time() + timeout_s
        with self._lock:
            waiting = set(self._pending)
        # in a thread of its own: the default ones may all be busy with the work that is logged
        with_thread = ThreadPoolExecutor(1, thread_name_prefix="flush-outcomes")
        try:
            left = (await loop.run_in_executor(with_thread, lambda: wait(waiting, timeout_s))).not_done
        finally:
            with_thread.shutdown(wait=False)
        refining = {task for task in self._refining if task.get_loop() is loop}
        if refining:
            _, undone = await asyncio.wait(refining, timeout=None if end is None else max(0.0, end - loop.time()))
            return not left and not undone
        return not left

    async def aclose(self, timeout_s: float = CLOSE_S) -> bool:
        """Store what waits, for `timeout_s` at most, and take no more; whether all is stored."""
        with self._lock:
            self._closed = True
        done = await self.flush(timeout_s)
        for task in list(self._refining):
            if task.get_loop() is asyncio.get_running_loop():
                task.cancel()
        self._thread.shutdown(wait=False)
        return done

    def trouble(self, kind: str, what: str) -> None:
        """Count a `malformed`, `failed` or `lost` one, and warn of the first."""
        with self._lock:
            self._counted[kind] += 1
            first, self._warned = not self._warned, True
        if first:
            self._warn(f"an outcome of production was not logged: {what} (later ones are only counted)")

    # ------------------------------------------------------------------ inside

    def _hand_over(self, outcome: ProductionOutcome | Mapping[str, Any]) -> Future[Logged | None] | None:
        with self._lock:
            refused = "the logger is closed" if self._closed else ""
            if not refused and len(self._pending) + len(self._refining) >= self._max_pending:
                refused = f"{self._max_pending} are waiting already"
            if not refused:
                try:
                    future = self._thread.submit(self._log, outcome)
                except RuntimeError as error:  # the interpreter is ending
                    refused = str(error)
                else:
                    self._pending.add(future)
        if refused:
            self.trouble("lost", refused)
            return None
        future.add_done_callback(self._forget)
        return future

    def _forget(self, future: Future[Logged | None]) -> None:
        with self._lock:
            self._pending.discard(future)

    def _log(self, given: ProductionOutcome | Mapping[str, Any]) -> Logged | None:
        logged = self._kept(given)
        with self._lock:
            # many at once are embedded faster than one by one
            more_wait = len(self._pending) > 1 and self._counted["logged"] % EMBED_AT_ONCE
        if (store := self.store) is not None and not more_wait:
            self._despite(lambda: store.index())
        return logged

    def _kept(self, given: ProductionOutcome | Mapping[str, Any]) -> Logged | None:
        try:
            # what was made without validation is no outcome yet
            told = given.model_dump(warnings=False) if isinstance(given, ProductionOutcome) else given
            outcome = ProductionOutcome.model_validate(told)
        except Exception as error:  # noqa: BLE001
            self.trouble("malformed", _first_line(error))
            return None
        try:
            return self._stored(outcome)
        except Exception as error:  # noqa: BLE001  # a logging failure never fails the work
            self.trouble("failed", _first_line(error))
            return None

    def _stored(self, outcome: ProductionOutcome) -> Logged:
        store = self.store
        if store is None:
            kept, record = outcome.without_secrets(), (0, 0)
        else:
            kept = self._despite(lambda: store.keep_outcome(outcome, index=False)) or outcome.without_secrets()
            record = store.record_of(kept.agent, kept.task_type)
        plan = extract_plan(kept, record)
        if store is not None and plan is not None and kept.id not in store.plans([kept.id]):
            made = plan
            self._despite(lambda: store.keep_plan(made, index=False))
        with self._lock:
            self._counted["logged"] += 1
            self._counted["plans"] += plan is not None
        return Logged(kept, plan, trajectory_of(kept, plan))

    def _despite(self, step: Callable[[], Any]) -> Any:
        """Its answer, or None: an outcome whose index failed has still a plan."""
        try:
            return step()
        except Exception as error:  # noqa: BLE001
            self.trouble("failed", _first_line(error))
            return None

    async def _refine_later(self, future: Future[Logged | None], model: Model) -> None:
        logged = await asyncio.shield(asyncio.wrap_future(future))
        if logged is not None and logged.plan is not None:
            await self._refined(logged, model)

    async def _refined(self, logged: Logged, model: Model) -> Logged:
        assert logged.plan is not None
        try:
            plan = await extract_plan_with_model(logged.outcome, logged.plan, model)
            if plan is None:
                return logged
            if (store := self.store) is not None:
                await asyncio.to_thread(store.keep_plan, plan)
        except Exception as error:  # noqa: BLE001
            self.trouble("failed", _first_line(error))
            return logged
        with self._lock:
            self._counted["refined"] += 1
        return Logged(logged.outcome, plan, trajectory_of(logged.outcome, plan))


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:200] or type(error).__name__
