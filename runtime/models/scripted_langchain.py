"""LangChain chat models that are no models: what a campaign can name as `module:factory` in tests and examples.

They stream word by word, tell their usage, and take the schema of an answer as a tool, as `with_structured_output`
and `bind_tools` give it.  A dict among the answers is then the arguments of that tool.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import PrivateAttr

from runtime.models.tokens import estimated_tokens

__all__ = ["FunctionChatModel", "ScriptedChatModel"]

Answer = str | dict[str, Any]


class FunctionChatModel(BaseChatModel):
    """Answers with what `answer(messages, schema)` returns or raises, after `latency_s` seconds.

    `schema` is that of the tool which the model is given, empty where there is none.
    """

    latency_s: float = 0.0
    _answer: Callable[[list[BaseMessage], dict[str, Any]], Answer] = PrivateAttr()

    def __init__(self, answer: Callable[[list[BaseMessage], dict[str, Any]], Answer], **fields: Any) -> None:
        super().__init__(**fields)
        self._answer = answer

    @property
    def _llm_type(self) -> str:
        return "function"

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: Any = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if self.latency_s:
            time.sleep(self.latency_s)
        name, schema = _tool(kwargs)
        told = self._answer(messages, schema)
        text = told if isinstance(told, str) else json.dumps(told)
        if name and isinstance(told, dict):
            calls = [{"name": name, "args": told, "id": "call-1"}]
            message = AIMessage("", tool_calls=calls, usage_metadata=_usage(messages, text))
        else:
            message = AIMessage(text, usage_metadata=_usage(messages, text))
        message.response_metadata = {"finish_reason": "stop"}
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        name, schema = _tool(kwargs)
        told = self._answer(messages, schema)
        text = told if isinstance(told, str) else json.dumps(told)
        in_tool = bool(name) and isinstance(told, dict)
        for place, word in enumerate(re.findall(r"\s*\S+|\s+", text)):
            chunk = AIMessageChunk(content="" if in_tool else word)
            if in_tool:
                first = place == 0
                chunk.tool_call_chunks = [
                    tool_call_chunk(name=name if first else None, args=word, id="call-1" if first else None, index=0)
                ]
            yield ChatGenerationChunk(message=chunk)
        end = AIMessageChunk(
            content="", usage_metadata=_usage(messages, text), response_metadata={"finish_reason": "stop"}
        )
        yield ChatGenerationChunk(message=end)


class ScriptedChatModel(FunctionChatModel):
    """Answers with the next of `replies`; an exception among them is raised, and an IndexError when they are spent."""

    def __init__(self, replies: Iterable[Answer | Exception], **fields: Any) -> None:
        left = iter(replies)

        def next_one(messages: list[BaseMessage], schema: dict[str, Any]) -> Answer:
            told = next(left, IndexError("the script has no more replies"))
            if isinstance(told, Exception):
                raise told
            return told

        super().__init__(next_one, **fields)


def _tool(kwargs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    tools = kwargs.get("tools") or []
    return (tools[0]["function"]["name"], tools[0]["function"]["parameters"]) if tools else ("", {})


def _usage(messages: list[BaseMessage], text: str) -> UsageMetadata:
    read = sum(estimated_tokens(str(message.content)) for message in messages)
    written = estimated_tokens(text)
    return UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
