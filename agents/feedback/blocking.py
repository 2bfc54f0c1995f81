"""A language model asked from plain code: the engines are callables that wait, the model is asynchronous.

made while a loop runs  → the question goes to that loop, and the calling thread waits
made without one        → the calling thread runs the question itself, on a loop that is kept for it
`wait` given            → that runs it
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from pydantic import BaseModel

from core.errors import ModelSilentError
from core.models import Check, Model, Prompt

__all__ = ["BlockingModel"]

A = TypeVar("A", bound=BaseModel)
GRACE_S = 5.0
"""A loop that still turns has told of the time-out by then."""


class BlockingModel:
    """Asks `model` and waits, from any thread but one whose loop is running; a question takes `timeout_s` at most."""

    def __init__(
        self,
        model: Model,
        *,
        timeout_s: float = 600.0,
        wait: Callable[[Coroutine[Any, Any, Any]], Any] | None = None,
    ) -> None:
        self._model = model
        self._timeout_s = timeout_s
        self._wait = wait
        self._loop = _running_loop() if wait is None else None
        self._own: asyncio.AbstractEventLoop | None = None
        self._turn = threading.Lock()

    @property
    def id(self) -> str:
        return self._model.id

    def __call__(self, prompt: Prompt, answer: type[A], check: Check | None = None) -> A:
        """The model's answer.  Raises what the model raises, and ModelSilentError where nobody could answer in time."""
        if self._wait is None and _running_loop() is not None:
            raise ModelSilentError(  # waiting here would stop the loop that is to answer
                f"{self.id} was asked on the thread of an event loop", where=prompt.name, hint="asyncio.to_thread"
            )
        told: A = self._run(self._ask(prompt, answer, check), prompt)
        return told

    def _run(self, work: Coroutine[Any, Any, A], prompt: Prompt) -> A:
        if self._wait is not None:
            told: A = self._wait(work)
            return told
        if self._loop is not None and self._loop.is_running():
            try:
                future = asyncio.run_coroutine_threadsafe(work, self._loop)
            except RuntimeError as error:  # the loop was closed since
                work.close()
                raise ModelSilentError(f"the loop of {self.id} is closed", where=prompt.name) from error
            try:
                return future.result(self._timeout_s + GRACE_S)
            except concurrent.futures.TimeoutError as error:
                future.cancel()
                raise self._silent(prompt) from error
            except concurrent.futures.CancelledError as error:
                raise ModelSilentError(f"the question to {self.id} was broken off", where=prompt.name) from error
        with self._turn:
            if self._own is None:
                # one loop for all questions: clients of a provider do not outlive the loop that they were used on
                self._own = asyncio.new_event_loop()
                weakref.finalize(self, self._own.close)
            return self._own.run_until_complete(work)

    async def _ask(self, prompt: Prompt, answer: type[A], check: Check | None) -> A:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._model.ask(prompt, answer, check)
        except TimeoutError as error:
            raise self._silent(prompt) from error

    def _silent(self, prompt: Prompt) -> ModelSilentError:
        return ModelSilentError(
            f"{self.id} did not answer within {self._timeout_s:g} s", where=prompt.name, hint="a smaller model"
        )


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
