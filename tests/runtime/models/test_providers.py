"""langchain-ollama and langchain-openai themselves, over real HTTP, through every fault that a server has."""

from __future__ import annotations

import asyncio
import json
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from calls import Judgement, call, chat_of, prompt, repair

from core.campaign import ModelPlan
from core.errors import ModelError, ModelRefusedError, ModelSilentError
from core.models import ChatReply
from runtime.models.asking import AskingModel
from runtime.models.guard import GuardedChat
from runtime.models.uncertain import UncertainError
from tests.model_servers import ollama_stand_in, openai_stand_in
from tests.model_servers.wire import Fault, Server

LONG = " ".join(f"word{i}" for i in range(40))
SPECS = {"ollama": "ollama:llama3.2", "openai": "openai:gpt-test"}


@pytest.fixture(params=["ollama", "openai"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[str, Server]]:
    start = {"ollama": ollama_stand_in.start, "openai": openai_stand_in.start}[request.param]
    with start() as server:
        yield SPECS[request.param], server


def one(server: Server, spec: str, plan: ModelPlan | None = None, **changes: Any) -> ChatReply:
    async def ask() -> ChatReply:
        chat = chat_of(server, spec, plan or ModelPlan(timeout_s=3.0))
        try:
            return await chat.complete(call(**{"model_id": spec, **changes}))
        finally:
            await chat.aclose()  # type: ignore[attr-defined]

    return asyncio.run(ask())


def failing(server: Server, spec: str, fault: Fault, **changes: Any) -> ModelError:
    server.answer = lambda asked: LONG
    server.faults = [fault]
    with pytest.raises(ModelError) as caught:
        one(server, spec, **changes)
    assert caught.value.where
    return caught.value


def test_text_and_usage_come_back(served: tuple[str, Server]) -> None:
    spec, server = served
    server.answer = lambda asked: "Grüße, 世界!\n"
    reply = one(server, spec)
    assert reply.text == "Grüße, 世界!\n"
    assert reply.finish == "stop"
    assert reply.input_tokens > 0
    assert reply.output_tokens > 0
    assert reply.duration_s > 0


def test_options_and_schema_reach_the_server(served: tuple[str, Server]) -> None:
    spec, server = served
    one(server, spec, temperature=0.7, seed=11, max_tokens=33, answer_schema=Judgement.model_json_schema())
    asked = server.calls[-1]
    assert asked.schema == Judgement.model_json_schema()
    assert [message["role"] for message in asked.messages] == ["system", "user"]
    if spec.startswith("ollama"):
        assert asked.body["options"] == {"num_ctx": 8192, "num_predict": 33, "temperature": 0.7, "seed": 11}
        assert asked.body["stream"] is True
    else:
        told = {name: asked.body[name] for name in ("max_tokens", "temperature", "seed", "stream")}
        assert told == {"max_tokens": 33, "temperature": 0.7, "seed": 11, "stream": True}
        assert asked.headers["authorization"] == "Bearer test-key"


def test_a_role_gets_a_valid_answer(served: tuple[str, Server]) -> None:
    spec, server = served
    model = AskingModel(spec, chat_of(server, spec), repair)
    answer = asyncio.run(model.ask(prompt(), Judgement))
    assert -1 <= answer.score <= 1


def test_an_answer_that_reaches_its_tokens_is_cut(served: tuple[str, Server]) -> None:
    spec, server = served
    server.answer = lambda asked: LONG
    assert one(server, spec, max_tokens=5).finish == "length"


@pytest.mark.parametrize("status", [500, 502, 503, 408, 429])
def test_an_ailing_server_is_silent(served: tuple[str, Server], status: int) -> None:
    spec, server = served
    error = failing(server, spec, Fault("status", status=status))
    assert type(error) is ModelSilentError


def test_retry_after_is_kept(served: tuple[str, Server]) -> None:
    spec, server = served
    error = failing(server, spec, Fault("status", status=429, headers={"Retry-After": "7"}))
    assert isinstance(error, ModelSilentError)
    assert error.retry_after_s == 7.0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 302])
def test_what_will_never_work_is_refused(served: tuple[str, Server], status: int) -> None:
    spec, server = served
    error = failing(server, spec, Fault("status", status=status, headers={"Location": "http://127.0.0.1:1/"}))
    assert isinstance(error, ModelRefusedError)
    assert error.hint


@pytest.mark.parametrize(
    "fault",
    [
        Fault("cut"),
        Fault("half"),
        Fault("garbage", body="<html>It works!</html>"),
        Fault("garbage", body="\x00\xff\x1b[2J"),
        Fault("garbage", body="[1, 2, 3]\n"),
        Fault("garbage", body='{"message": 5}\n'),
        Fault("garbage", body=""),
        Fault("error_in_stream"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.body[:8]!r}",
)
def test_what_breaks_off_or_is_no_protocol_is_uncertain(served: tuple[str, Server], fault: Fault) -> None:
    spec, server = served
    assert isinstance(failing(server, spec, fault), ModelSilentError)


def test_a_200_mb_line_costs_no_memory(served: tuple[str, Server]) -> None:
    spec, server = served
    one(server, spec)  # the imports are not counted
    tracemalloc.start()
    error = failing(server, spec, Fault("flood"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(error, UncertainError)
    assert peak < 100e6
    assert server.sent_bytes < 100e6


def test_a_stream_without_end_is_cut(served: tuple[str, Server]) -> None:
    spec, server = served
    server.answer = lambda asked: LONG
    server.faults = [Fault("endless")]
    reply = one(server, spec, max_tokens=100)
    assert reply.finish == "length"
    assert len(reply.text) <= 16 * 100 + 2000


def test_a_server_that_hangs_is_left(served: tuple[str, Server]) -> None:
    spec, server = served
    server.faults = [Fault("hang")]
    began = time.monotonic()
    with pytest.raises(UncertainError):
        one(server, spec, ModelPlan(timeout_s=0.5))
    assert time.monotonic() - began < 3


def test_a_byte_a_second_is_not_waited_for(served: tuple[str, Server]) -> None:
    """Each byte starts the client's own time-out anew; the guard's counts the whole attempt."""
    spec, server = served
    server.faults = [Fault("drip", pause_s=0.2)]
    guarded = GuardedChat(chat_of(server, spec), timeout_s=1.0, retries=0)
    began = time.monotonic()
    with pytest.raises(ModelSilentError, match="within 1 s"):
        asyncio.run(guarded.complete(call(model_id=spec)))
    assert time.monotonic() - began < 3


def test_nobody_there_is_silent_and_certain(served: tuple[str, Server]) -> None:
    spec, server = served
    server.stop()
    with pytest.raises(ModelSilentError) as caught:
        one(server, spec)
    assert type(caught.value) is ModelSilentError


def test_a_server_that_dies_in_the_middle(served: tuple[str, Server]) -> None:
    spec, server = served
    server.answer = lambda asked: LONG
    server.die_after(2)

    async def ask() -> list[object]:
        chat = chat_of(server, spec)
        return [await asyncio.gather(chat.complete(call(model_id=spec)), return_exceptions=True) for _ in range(4)]

    replies = [told[0] for told in asyncio.run(ask())]  # type: ignore[index]
    assert [type(told).__name__ for told in replies[:2]] == ["ChatReply", "ChatReply"]
    assert all(isinstance(told, ModelSilentError) for told in replies[2:])


def test_a_form_that_the_server_refuses_is_loosened_once(served: tuple[str, Server]) -> None:
    spec, server = served
    schema = Judgement.model_json_schema()

    async def ask() -> None:
        chat = chat_of(server, spec)
        server.answer = lambda asked: Fault("refuse_format") if asked.schema else '{"score": 0.5, "reason": "so"}'
        for _ in range(2):
            assert json.loads((await chat.complete(call(model_id=spec, answer_schema=schema))).text)["score"] == 0.5

    asyncio.run(ask())
    assert [bool(asked.schema) for asked in server.calls] == [True, False, False]


def test_a_wrong_key_is_refused_and_not_shown() -> None:
    with openai_stand_in.start(key="right") as server, pytest.raises(ModelRefusedError) as caught:
        asyncio.run(chat_of(server, "openai:gpt-test", key="sk-wrong12345678901234").complete(call()))
    assert "sk-wrong" not in str(caught.value)
    assert "OPENAI_API_KEY" in caught.value.hint


def test_a_missing_model_says_how_to_get_it() -> None:
    with ollama_stand_in.start() as server, pytest.raises(ModelRefusedError) as caught:
        asyncio.run(chat_of(server, "ollama:absent").complete(call()))
    assert caught.value.hint == "ollama pull absent"


def test_a_prompt_that_would_be_cut_in_silence_is_refused() -> None:
    with ollama_stand_in.start() as server:
        with pytest.raises(ModelRefusedError, match="context"):
            one(server, "ollama:llama3.2", text="word " * 10_000)
        assert not server.calls


def test_a_compressed_answer_is_not_unpacked() -> None:
    with ollama_stand_in.start() as server:
        error = failing(
            server, "ollama:llama3.2", Fault("status", status=200, body="x", headers={"Content-Encoding": "gzip"})
        )
    assert "compressed" in error.what


def test_eight_calls_are_in_flight_and_no_more(served: tuple[str, Server]) -> None:
    spec, server = served
    server.latency_s = 0.3

    async def ask() -> None:
        guarded = GuardedChat(chat_of(server, spec), concurrency=8)
        await guarded.complete(call(model_id=spec))
        replies = await asyncio.gather(*(guarded.complete(call(f"{i}", model_id=spec)) for i in range(24)))
        assert len(replies) == 24

    asyncio.run(ask())
    assert server.most_in_flight == 8


def test_one_chat_serves_one_event_loop_after_another(served: tuple[str, Server]) -> None:
    spec, server = served
    chat = chat_of(server, spec)
    for _ in range(3):
        assert asyncio.run(chat.complete(call(model_id=spec))).text == "yes"
