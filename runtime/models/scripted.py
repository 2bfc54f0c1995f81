"""Chats that are no models: answers from a list or a function.  Real implementations, for tests and examples.

Their LangChain counterparts, which a campaign can name as `module:factory`, are in `scripted_langchain`.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable

from core.errors import ModelRefusedError
from core.models import ChatCall, ChatReply
from runtime.models.tokens import estimated_tokens, input_tokens

__all__ = ["FunctionChat", "ScriptedChat"]

Answer = str | ChatReply


class FunctionChat:
    """Answers with what `answer(call)` returns (text, or a whole reply) or raises; it may be a coroutine function.

    `calls` lists what was asked.
    """

    def __init__(self, answer: Callable[[ChatCall], Answer | Awaitable[Answer]], *, latency_s: float = 0.0) -> None:
        self._answer = answer
        self._latency_s = latency_s
        self.calls: list[ChatCall] = []

    async def complete(self, call: ChatCall) -> ChatReply:
        self.calls.append(call)
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        told = self._answer(call)
        if inspect.isawaitable(told):
            told = await told
        if isinstance(told, ChatReply):
            return told
        return ChatReply(text=told, input_tokens=input_tokens(call), output_tokens=estimated_tokens(told))


class ScriptedChat(FunctionChat):
    """Answers with the next of `replies`; an exception among them is raised.  When they are spent it refuses."""

    def __init__(self, replies: Iterable[Answer | Exception], *, latency_s: float = 0.0) -> None:
        left = iter(replies)

        def next_one(call: ChatCall) -> Answer:
            told = next(left, ModelRefusedError("the script has no more replies", where=call.model_id))
            if isinstance(told, Exception):
                raise told
            return told

        super().__init__(next_one, latency_s=latency_s)
