"""Agent to agent, in memory: requests and answers with correlation ids, in the manner of MCP messages.

A service subscribes to a topic; a channel sends a request and awaits the answer that carries its correlation id.
Nothing leaves the process.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from core.errors import RatchetError, UnavailableError

__all__ = ["FeedbackAgentChannel", "InMemoryBroker", "Message"]


class Message(BaseModel):
    """One message: `method` says what is asked, `correlation_id` joins an answer to its request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    correlation_id: str
    sender: str
    method: str
    payload: dict[str, Any] = Field(default_factory=dict)
    error: str | None = None


Receiver = Callable[[Message], Awaitable[dict[str, Any]]]


class InMemoryBroker:
    """Passes requests to the one receiver of a method and hands its answer back."""

    def __init__(self) -> None:
        self._receivers: dict[str, Receiver] = {}
        self._numbers = itertools.count(1)

    def subscribe(self, method: str, receiver: Receiver) -> Callable[[], None]:
        """`receiver` answers requests of `method`; the result ends that.  A second receiver of a method is refused."""
        if method in self._receivers:
            raise RatchetError(f"{method!r} has a receiver already", where="InMemoryBroker", hint="end that one first")
        self._receivers[method] = receiver
        return lambda: self._receivers.pop(method, None) and None

    def correlation_id(self, sender: str) -> str:
        return f"{sender}-{next(self._numbers)}"

    async def deliver(self, message: Message) -> Message:
        """The answer to a request.  What the receiver raises comes back as the answer's `error`."""
        receiver = self._receivers.get(message.method)
        if receiver is None:
            raise UnavailableError(
                f"nobody answers {message.method!r}",
                where="InMemoryBroker",
                hint=f"start a service for it; known: {', '.join(sorted(self._receivers)) or 'none'}",
            )
        try:
            payload, error = await receiver(message), None
        except Exception as failure:  # noqa: BLE001  # the asker is told, the service lives on
            payload, error = {}, f"{type(failure).__name__}: {failure}"
        return message.model_copy(update={"sender": message.method, "payload": payload, "error": error})


class FeedbackAgentChannel:
    """One agent's end of the broker: `request` sends and awaits, and may be called several times at once."""

    def __init__(self, broker: InMemoryBroker, agent_id: str) -> None:
        self._broker = broker
        self.agent_id = agent_id
        self._pending: dict[str, asyncio.Future[Message]] = {}

    @property
    def pending(self) -> tuple[str, ...]:
        """Correlation ids of the requests that are not answered yet."""
        return tuple(self._pending)

    async def request(self, method: str, payload: dict[str, Any], *, timeout_s: float = 60.0) -> dict[str, Any]:
        """The answer's payload.  Raises UnavailableError when nobody answers, in time or at all, or with an error."""
        correlation_id = self._broker.correlation_id(self.agent_id)
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._pending[correlation_id] = future
        message = Message(correlation_id=correlation_id, sender=self.agent_id, method=method, payload=payload)
        task = asyncio.create_task(self._answer(message, future))
        try:
            answer = await asyncio.wait_for(future, timeout_s)
        except TimeoutError as error:
            raise UnavailableError(
                f"{method!r} was not answered within {timeout_s:g} s", where=f"request {correlation_id}"
            ) from error
        finally:
            self._pending.pop(correlation_id, None)
            task.cancel()
        if answer.error is not None:
            raise UnavailableError(f"{method!r} failed: {answer.error}", where=f"request {correlation_id}")
        return answer.payload

    async def _answer(self, message: Message, future: asyncio.Future[Message]) -> None:
        try:
            answer = await self._broker.deliver(message)
        except RatchetError as error:
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(answer)
