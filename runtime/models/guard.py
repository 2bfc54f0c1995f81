"""Around a chat: a time-out on every attempt, retries by kind of error, a circuit breaker, a cap on calls in flight."""

from __future__ import annotations

import asyncio
import random
import time
import weakref
from collections.abc import Awaitable, Callable

from core.errors import ModelBudgetError, ModelError, ModelSilentError
from core.models import Chat, ChatCall, ChatReply

__all__ = ["Breaker", "GuardedChat"]

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
LONGEST_WAIT_S = 120.0
"""A server that asks for more patience than this is given up for the call."""


class Breaker:
    """Opens after `after` silent attempts in a row; for `pause_s` nobody is asked, then one attempt may try.

    Source: Nygard, Release It!, 2007.
    """

    def __init__(self, after: int = 5, pause_s: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._after = after
        self._pause_s = pause_s
        self._clock = clock
        self._silent = 0
        self._opened_at: float | None = None
        self._trying = False
        self._why = ""

    @property
    def open(self) -> bool:
        return self._opened_at is not None

    def admit(self) -> None:
        """Raises ModelSilentError while it is open, but for the one attempt after the pause."""
        if self._opened_at is None:
            return
        left = self._opened_at + self._pause_s - self._clock()
        if left > 0 or self._trying:
            raise ModelSilentError(
                f"not asked: it was silent {self._silent} times in a row ({self._why})",
                hint=f"it is tried again in {left:.0f} s" if left > 0 else "it is being tried again",
            )
        self._trying = True

    def answered(self) -> None:
        """Something came back, be it a refusal: somebody is there."""
        self._silent, self._opened_at, self._trying = 0, None, False

    def silent(self, error: ModelSilentError) -> None:
        self._silent += 1
        self._why = error.what
        if self._silent >= self._after or self._trying:
            self._opened_at = self._clock()
        self._trying = False

    def given_up(self) -> None:
        """An attempt ended by itself, which says nothing about the model."""
        self._trying = False


class GuardedChat:
    """Every call ends, with a reply or one of the ModelErrors.

    `timeout_s` bounds one attempt, whatever it waits for (but not the wait for a turn).  Silent attempts are repeated
    `retries` times, after pauses that double from `first_pause_s` and scatter by half, or as long as the server asks
    for; every other error is final at once.  At most `concurrency` attempts are in flight; a pause holds no turn.
    """

    def __init__(
        self,
        chat: Chat,
        *,
        timeout_s: float = 120.0,
        retries: int = 2,
        concurrency: int = 4,
        first_pause_s: float = FIRST_PAUSE_S,
        breaker: Breaker | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self._chat = chat
        self._timeout_s = timeout_s
        self._retries = retries
        self._concurrency = concurrency
        self._first_pause_s = first_pause_s
        self._turns: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
            weakref.WeakKeyDictionary()
        )
        self._breaker = breaker or Breaker()
        self._sleep = sleep
        self._rng = rng or random.Random(0)  # noqa: S311  # jitter, not a secret

    async def complete(self, call: ChatCall) -> ChatReply:
        """The reply, with the attempts it took.  Raises the last error."""
        turns = self._turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(self._concurrency))
        attempt = 1
        while True:
            try:
                async with turns:
                    reply = await self._once(call)
                return reply.model_copy(update={"attempts": attempt})
            except ModelSilentError as error:
                patience = error.retry_after_s or 0.0
                if attempt > self._retries or self._breaker.open or patience > LONGEST_WAIT_S:
                    raise
                grown = self._first_pause_s * 2 ** (attempt - 1) * self._rng.uniform(0.5, 1.5)
                pause = max(min(LONGEST_PAUSE_S, grown), patience)
            await self._sleep(pause)
            attempt += 1

    async def _once(self, call: ChatCall) -> ChatReply:
        self._breaker.admit()
        try:
            try:
                async with asyncio.timeout(self._timeout_s):
                    reply = await self._chat.complete(call)
            except TimeoutError as error:
                raise ModelSilentError(
                    f"{call.model_id} did not answer within {self._timeout_s:g} s",
                    where="model.timeout_s",
                    hint="a smaller model, fewer tokens, or a longer model.timeout_s",
                ) from error
        except ModelSilentError as error:
            self._breaker.silent(error)
            raise
        except ModelBudgetError:  # nobody was asked
            self._breaker.given_up()
            raise
        except ModelError:
            self._breaker.answered()
            raise
        except BaseException:
            self._breaker.given_up()
            raise
        self._breaker.answered()
        return reply
