"""Models that are no models: answers from a list or a function.  Real implementations, for tests and examples.

`ScriptedChat` and `FunctionChat` are chats of ours; `ScriptedChatModel` and `FunctionChatModel` are LangChain chat
models, which a campaign can name as `my_module:factory`.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from core.errors import ModelRefusedError
from core.models import ChatCall, ChatReply
from runtime.models.meter import CHARACTERS_PER_TOKEN, tokens_of

__all__ = ["FunctionChat", "FunctionChatModel", "ScriptedChat", "ScriptedChatModel"]


class FunctionChat:
    """Answers with what `answer(call)` returns (text, or a whole reply) or raises; it may be a coroutine function.

    `calls` lists what was asked.
    """

    def __init__(self, answer: Callable[[ChatCall], str | ChatReply | Awaitable[str | ChatReply]]) -> None:
        self._answer = answer
        self.calls: list[ChatCall] = []

    async def complete(self, call: ChatCall) -> ChatReply:
        self.calls.append(call)
        told = self._answer(call)
        if inspect.isawaitable(told):
            told = await told
        if isinstance(told, ChatReply):
            return told
        written = round(len(told) / CHARACTERS_PER_TOKEN)
        return ChatReply(text=told, input_tokens=tokens_of(call), output_tokens=written)


class ScriptedChat(FunctionChat):
    """Answers with the next of `replies`; an exception among them is raised.  When they are spent it refuses."""

    def __init__(self, replies: Sequence[str | ChatReply | Exception]) -> None:
        left: Iterator[str | ChatReply | Exception] = iter(replies)

        def next_one(call: ChatCall) -> str | ChatReply:
            told = next(left, ModelRefusedError("the script has no more replies", where=call.model_id))
            if isinstance(told, Exception):
                raise told
            return told

        super().__init__(next_one)


class FunctionChatModel(BaseChatModel):
    """A LangChain chat model that answers with what `answer(messages)` returns or raises, after `latency_s`."""

    latency_s: float = 0.0
    _answer: Callable[[list[BaseMessage]], str] = PrivateAttr()

    def __init__(self, answer: Callable[[list[BaseMessage]], str], **fields: Any) -> None:
        super().__init__(**fields)
        self._answer = answer

    @property
    def _llm_type(self) -> str:
        return "function"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return self._result(messages)

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        return self._result(messages)

    def _result(self, messages: list[BaseMessage]) -> ChatResult:
        text = self._answer(messages)
        read = sum(len(str(message.content)) for message in messages) // 4
        used = {"input_tokens": read, "output_tokens": len(text) // 4, "total_tokens": read + len(text) // 4}
        message = AIMessage(text, usage_metadata=used)
        return ChatResult(generations=[ChatGeneration(message=message)])


class ScriptedChatModel(FunctionChatModel):
    """A LangChain chat model that answers with the next of `replies`; an exception among them is raised."""

    def __init__(self, replies: Sequence[str | Exception], **fields: Any) -> None:
        left = iter(replies)

        def next_one(messages: list[BaseMessage]) -> str:
            told = next(left, IndexError("the script has no more replies"))
            if isinstance(told, Exception):
                raise told
            return told

        super().__init__(next_one, **fields)
