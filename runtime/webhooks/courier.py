"""A thread that takes one receiver's messages to it, in their order, with patience; nobody waits for it.

It asks for the next messages when it is woken: they stand somewhere durable, so nothing piles up here, and what a
killed process has not delivered is asked for again by the next.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from runtime.webhooks.sending import Answer, Message, send
from runtime.webhooks.target import Target

__all__ = ["Courier", "Pace"]

FLUSH_S = 5.0
"""What is left at the end has this long to leave."""
TROUBLED_FLUSH_S = 0.5
"""The same, where the receiver is silent."""


@dataclass(frozen=True)
class Pace:
    """Waits before another try grow from `first_s`, doubled, to `most_s`, with jitter.

    A message is tried `tries` times; one that was not accepted then is left for the next run.
    """

    first_s: float = 1.0
    most_s: float = 60.0
    tries: int = 8

    def wait_s(self, attempt: int, asked_s: float | None) -> float:
        """After the attempt of that number, from 1; what the receiver asked for goes before."""
        if asked_s is not None:
            return asked_s
        return random.uniform(0.5, 1.0) * min(self.most_s, self.first_s * 2.0 ** (attempt - 1))  # noqa: S311


class Courier:
    """`pending` answers the next few messages, in order and none twice, and none when there are no more for now;
    `done` notes what became of one.  Both are called in the courier's thread, and may raise: it tries again when woken.
    `tell` gets one line, once, when something was not accepted.
    """

    def __init__(
        self,
        target: Target,
        key: bytes,
        pending: Callable[[], Sequence[Message]],
        done: Callable[[Message, Answer], None],
        tell: Callable[[str], None],
        *,
        pace: Pace = Pace(),
    ) -> None:
        self._target = target
        self._key = key
        self._pending = pending
        self._done = done
        self._tell = tell
        self._pace = pace
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._troubled = threading.Event()
        self._told = False
        self._failed = False
        self._thread = threading.Thread(target=self._work, daemon=True, name=f"webhook {target.name}")

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There may be something to send.  Costs a few microseconds."""
        with self._lock:
            self._idle.clear()
            self._woken.set()

    def stop(self, flush_s: float = FLUSH_S) -> bool:
        """Give what is left a bounded time to leave; whether all of it has left."""
        end = time.monotonic() + flush_s
        while not self._idle.is_set() and time.monotonic() < end and self._thread.is_alive():
            if self._troubled.is_set():
                end = min(end, time.monotonic() + TROUBLED_FLUSH_S)
                self._troubled.clear()
            self._idle.wait(0.02)
        left = self._idle.is_set() and not self._failed
        self._stopping.set()
        self._woken.set()
        self._thread.join(0.5)  # one that waits for an answer is left behind, and dies with the process
        return left

    # ------------------------------------------------------------------ the thread

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._woken.wait()
            self._woken.clear()
            try:
                for message in self._messages():
                    answer = self._delivered(message)
                    if answer is None:
                        return
                    self._done(message, answer)
                    if answer.outcome == "gone":
                        self._stopping.set()
                        break
            except Exception as error:  # noqa: BLE001  # a listener that fails never fails what it listens to
                self._failed = True
                self._complain(f"{type(error).__name__}: {error}")
            with self._lock:
                if not self._woken.is_set():
                    self._idle.set()

    def _messages(self) -> Iterator[Message]:
        while messages := self._pending():
            yield from messages

    def _delivered(self, message: Message) -> Answer | None:
        """What became of it at last; None when there was no time left."""
        for attempt in range(1, self._pace.tries + 1):
            if self._stopping.is_set():
                return None
            answer = send(self._target, self._key, message)
            if answer.outcome == "accepted":
                return answer
            self._complain(answer.reason)
            if answer.outcome != "later":
                return answer
            self._troubled.set()
            if attempt < self._pace.tries and self._stopping.wait(self._pace.wait_s(attempt, answer.wait_s)):
                return None
        return answer

    def _complain(self, reason: str) -> None:
        if not self._told:
            self._told = True
            with contextlib.suppress(Exception):
                self._tell(f"webhook {self._target.name}: {reason} (told once; the run goes on)")
