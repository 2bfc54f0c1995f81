"""The shipped fakes are real: as LangChain uses them, and as a campaign does."""

from __future__ import annotations

import asyncio
import time

import pytest
from calls import Judgement, call
from langchain_core.messages import HumanMessage
from pydantic import BaseModel

from core.errors import ModelRefusedError, ModelSilentError
from runtime.models.langchain_chat import LangChainChat
from runtime.models.scripted import FunctionChat, ScriptedChat
from runtime.models.scripted_langchain import FunctionChatModel, ScriptedChatModel

ANSWER = {"score": 0.5, "reason": "fine"}


def test_a_script_is_followed_and_ends_in_a_refusal() -> None:
    chat = ScriptedChat(["one", ModelSilentError("gone")])
    assert asyncio.run(chat.complete(call())).text == "one"
    with pytest.raises(ModelSilentError):
        asyncio.run(chat.complete(call()))
    with pytest.raises(ModelRefusedError, match="no more replies"):
        asyncio.run(chat.complete(call()))
    assert len(chat.calls) == 3


def test_latency_is_real_and_shared() -> None:
    async def play() -> None:
        chat = FunctionChat(lambda asked: "x", latency_s=0.1)
        await asyncio.gather(*(chat.complete(call()) for _ in range(8)))

    began = time.monotonic()
    asyncio.run(play())
    assert 0.1 <= time.monotonic() - began < 0.7


def test_langchains_own_structured_output_works() -> None:
    model = ScriptedChatModel([ANSWER, ANSWER])
    asked = model.with_structured_output(Judgement)
    for told in (asked.invoke("judge"), asyncio.run(asked.ainvoke("judge"))):
        assert isinstance(told, BaseModel)
        assert told.model_dump() == {**ANSWER, "tags": []}


def test_it_streams_and_tells_usage() -> None:
    model = FunctionChatModel(lambda messages, schema: f"you said {messages[-1].content}")
    chunks = list(model.stream([HumanMessage("hello there")]))
    assert "".join(str(chunk.content) for chunk in chunks) == "you said hello there"

    async def play() -> list[object]:
        return [chunk async for chunk in model.astream("hello there")]

    assert len(asyncio.run(play())) >= 4
    usage = model.invoke("hello there").usage_metadata
    assert usage is not None
    assert usage["output_tokens"] > 0


def test_a_chat_over_it_gets_objects_as_text_and_usage() -> None:
    model = ScriptedChatModel([ANSWER, "plain", RuntimeError("out of memory"), TypeError("a mistake")])
    chat = LangChainChat(lambda temperature: model, where="test")
    reply = asyncio.run(chat.complete(call(answer_schema=Judgement.model_json_schema())))
    assert Judgement.model_validate_json(reply.text).score == 0.5
    assert reply.input_tokens > 0
    assert asyncio.run(chat.complete(call())).text == "plain"
    with pytest.raises(ModelSilentError, match="out of memory"):
        asyncio.run(chat.complete(call()))
    with pytest.raises(ModelRefusedError, match="a mistake"):
        asyncio.run(chat.complete(call()))
