"""Spans of calls, collected in memory by a tracer of our own."""

from __future__ import annotations

import asyncio

import pytest
from calls import Judgement, call, prompt, repair
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from core.errors import ModelSilentError
from runtime.models.asking import AskingModel
from runtime.models.scripted import ScriptedChat
from runtime.models.spans import TracedChat

GOOD = '{"score": 0.5, "reason": "the answer of the model"}'


def traced(chat: ScriptedChat) -> tuple[TracedChat, InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return TracedChat(chat, "voter", "critical", provider.get_tracer("test")), exporter


def test_a_span_tells_the_call_by_the_conventions_and_nothing_that_was_said() -> None:
    chat, exporter = traced(ScriptedChat([GOOD]))
    asyncio.run(AskingModel("ollama:llama3.2", chat, repair).ask(prompt(), Judgement))
    (span,) = exporter.get_finished_spans()
    told = dict(span.attributes or {})
    assert span.name == "chat llama3.2"
    assert told["gen_ai.system"] == "ollama"
    assert told["gen_ai.operation.name"] == "chat"
    assert told["gen_ai.request.model"] == "llama3.2"
    assert told["gen_ai.usage.input_tokens"] > 0  # type: ignore[operator]
    assert told["gen_ai.usage.output_tokens"] > 0  # type: ignore[operator]
    assert told["gen_ai.response.finish_reasons"] == ("stop",)
    assert (told["ratchet.role"], told["ratchet.seat"]) == ("voter", "critical")
    assert (told["ratchet.prompt"], told["ratchet.prompt.edition"]) == ("voter/judgement", "0123456789ab")
    assert "Judge this" not in span.to_json()
    assert "answer of the model" not in span.to_json()


def test_an_error_is_told_by_its_kind_only() -> None:
    chat, exporter = traced(ScriptedChat([ModelSilentError("said: secret text")]))
    with pytest.raises(ModelSilentError):
        asyncio.run(chat.complete(call()))
    (span,) = exporter.get_finished_spans()
    assert dict(span.attributes or {})["error.type"] == "ModelSilentError"
    assert not span.status.is_ok
    assert "secret text" not in span.to_json()


def test_a_factory_has_no_provider_in_its_name() -> None:
    chat, exporter = traced(ScriptedChat(["x"]))
    asyncio.run(chat.complete(call(model_id="my.module:make")))
    told = dict(exporter.get_finished_spans()[0].attributes or {})
    assert (told["gen_ai.system"], told["gen_ai.request.model"]) == ("langchain", "my.module:make")


def test_without_a_provider_it_goes_nowhere() -> None:
    assert asyncio.run(TracedChat(ScriptedChat(["x"]), "voter").complete(call())).text == "x"
