"""Around a chat: a time-out on every call, retries by kind of error, a circuit breaker, a cap on calls in flight."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from core.errors import ModelSilentError
from core.models import Chat, ChatCall, ChatReply

__all__ = ["Breaker", "GuardedChat"]

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0


class Breaker:
    """Opens after `after` silent calls in a row; for `pause_s` nobody is asked, then one call may try.

    Source: Nygard, Release It!, 2007.
    """

    def __init__(self, after: int = 3, pause_s: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._after = after
        self._pause_s = pause_s
        self._clock = clock
        self._silent = 0
        self._opened_at: float | None = None
        self._why = ""

    def check(self) -> None:
        """Raises ModelSilentError while it is open."""
        if self._opened_at is None:
            return
        left = self._opened_at + self._pause_s - self._clock()
        if left > 0:
            raise ModelSilentError(
                f"not asked: it did not answer {self._silent} times in a row ({self._why})",
                hint=f"it is tried again in {left:.0f} s",
            )
        self._opened_at = self._clock()  # this one may try; until it has answered the others wait

    def answered(self) -> None:
        self._silent, self._opened_at = 0, None

    def silent(self, error: ModelSilentError) -> None:
        self._silent += 1
        self._why = error.what
        if self._silent >= self._after:
            self._opened_at = self._clock()


class GuardedChat:
    """`timeout_s` bounds one attempt, whatever it waits for.

    Silent attempts are repeated with growing pauses (or as long as the server asks for); a refusal is final at once.
    """

    def __init__(
        self,
        chat: Chat,
        *,
        timeout_s: float = 120.0,
        retries: int = 2,
        concurrency: int = 4,
        breaker: Breaker | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self._chat = chat
        self._timeout_s = timeout_s
        self._retries = retries
        self._turns = asyncio.Semaphore(concurrency)
        self._breaker = breaker or Breaker()
        self._sleep = sleep
        self._rng = rng or random.Random(0)  # noqa: S311  # jitter, not a secret

    async def complete(self, call: ChatCall) -> ChatReply:
        async with self._turns:
            for attempt in range(1, self._retries + 2):
                self._breaker.check()
                try:
                    reply = await self._once(call)
                except ModelSilentError as error:
                    if attempt > self._retries:
                        self._breaker.silent(error)
                        raise
                    await self._sleep(self._pause(attempt, error))
                else:
                    self._breaker.answered()
                    return reply.model_copy(update={"attempts": attempt})
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, call: ChatCall) -> ChatReply:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._chat.complete(call)
        except TimeoutError as error:
            raise ModelSilentError(
                f"{call.model_id} did not answer within {self._timeout_s:g} s",
                hint="a smaller model, fewer tokens, or a longer model.timeout_s",
            ) from error

    def _pause(self, attempt: int, error: ModelSilentError) -> float:
        asked = error.retry_after_s
        grown: float = FIRST_PAUSE_S * 2 ** (attempt - 1) * self._rng.uniform(0.5, 1.5)
        return min(LONGEST_PAUSE_S, max(grown, asked or 0.0))
