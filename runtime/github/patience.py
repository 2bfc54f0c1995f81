"""When to ask GitHub again, and how long to wait before: by kind of failure, within one bound for all of it.

GitHub says how long: Retry-After, or x-ratelimit-reset where x-ratelimit-remaining is 0.  A secondary limit that says
neither asks for a minute at least.  Everything else backs off exponentially with full jitter.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from core.errors import GitHubSilentError

__all__ = ["Patience", "asked_wait", "limit_reached"]

SECONDARY_S = 60.0
RESET_MARGIN_S = 1.0
"""A limit that is reset in second 30 still stands in that second."""


@dataclass
class Patience:
    """How often and how long.  `total_s` bounds everything from `begin` on, waits and answers together.

    `tries` is the number of times that one request is sent at most; waits grow from `first_s`, doubled, up to `most_s`.
    """

    total_s: float = 300.0
    tries: int = 5
    first_s: float = 1.0
    most_s: float = 30.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    monotonic: Callable[[], float] = time.monotonic
    rng: random.Random = field(default_factory=random.Random)
    _end: float = field(default=float("inf"), init=False)

    def begin(self) -> None:
        self._end = self.monotonic() + self.total_s

    @property
    def left_s(self) -> float:
        return self._end - self.monotonic()

    async def wait(self, attempt: int, error: GitHubSilentError) -> None:
        """Wait before the try after number `attempt` (from 1); raises `error` when there is to be none."""
        backoff = self.rng.uniform(0, min(self.most_s, self.first_s * 2.0 ** (attempt - 1)))
        wait_s = backoff if error.retry_after_s is None else error.retry_after_s + self.rng.uniform(0, self.first_s) / 4
        if attempt >= self.tries or wait_s >= self.left_s:
            raise error
        await self.sleep(wait_s)


def limit_reached(status: int, headers: Mapping[str, str], message: str) -> bool:
    """Whether an answer says that too much was asked, and not that it is forbidden."""
    if status == 429:
        return True
    said = "rate limit" in message.lower() or "abuse" in message.lower()
    return status == 403 and (said or "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0")


def asked_wait(headers: Mapping[str, str], now: float, *, limited: bool) -> float | None:
    """Seconds that the answer asks to wait; None when it asks nothing.  Its own Date goes before our clock `now`."""
    if (after := headers.get("retry-after")) is not None:
        seconds = _number(after)
        if seconds is None and (date := _date(after)) is not None:
            seconds = date - _here(headers, now)
        if seconds is not None:
            return max(0.0, seconds)
    reset = _number(headers.get("x-ratelimit-reset"))
    if limited and reset is not None and headers.get("x-ratelimit-remaining") == "0":
        return max(0.0, reset - _here(headers, now)) + RESET_MARGIN_S
    return SECONDARY_S if limited else None


def _here(headers: Mapping[str, str], now: float) -> float:
    date = _date(headers.get("date"))
    return now if date is None else date


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if value == value and abs(value) != float("inf") else None


def _date(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, TypeError, OverflowError):
        return None
