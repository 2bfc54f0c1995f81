"""What `doctor` finds, against stand-ins that are well and ill."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.campaign import ModelPlan
from core.models import ChatCall, Message
from runtime.models.probe import Finding, probe
from runtime.models.recording import RecordingChat
from runtime.models.scripted import ScriptedChat
from tests.model_servers import ollama_stand_in, openai_stand_in
from tests.model_servers.wire import Fault, Server

QUESTION = Message(role="user", text='What is one and one?  Answer {"answer": 2}.')


def found(server: Server, spec: str, **plan: object) -> dict[str, Finding]:
    environment = {"OLLAMA_HOST": server.url, "OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "k"}
    settings = ModelPlan(**{"timeout_s": 2.0, **plan})  # type: ignore[arg-type]
    return {one.name: one for one in asyncio.run(probe(spec, settings, Path(), QUESTION, environment))}


def test_everything_is_well() -> None:
    with ollama_stand_in.start() as server:
        told = found(server, "auto")
    assert list(told) == ["choice", "reachable", "present", "context", "answers", "structured", "speed"]
    assert all(one.ok and not one.fix for one in told.values())
    assert server.calls[0].schema  # the very path that a run takes
    with openai_stand_in.start() as other:
        assert all(one.ok for one in found(other, "openai:gpt-test").values())


def test_each_fault_is_named_with_its_fix() -> None:
    with ollama_stand_in.start(context_length=2048) as server:
        missing = found(server, "ollama:absent")
        assert list(missing) == ["choice", "reachable", "present"]
        assert missing["present"].fix == "ollama pull absent"
        assert "llama3.2" in missing["present"].what
        assert "2048" in found(server, "ollama:llama3.2")["context"].fix
        server.answer = lambda asked: "I'd say two."
        assert "form" in found(server, "ollama:llama3.2")["structured"].what
        server.answer = lambda asked: Fault("status", status=500)
        assert not found(server, "ollama:llama3.2")["answers"].ok
        server.answer = lambda asked: Fault("hang")
        assert "within 0.3 s" in found(server, "ollama:llama3.2", timeout_s=0.3)["answers"].what
    gone = found(server, "ollama:llama3.2")
    assert not gone["reachable"].ok
    assert "ollama serve" in gone["reachable"].fix


def test_no_model_and_no_such_form() -> None:
    with ollama_stand_in.start(models=()) as server:
        told = found(server, "auto")
        assert list(told) == ["choice"]
        assert told["choice"].ok
        assert not found(server, "what is this")["choice"].ok


def test_a_model_that_thinks_first_is_well() -> None:
    thought = "<think>" + "one and one makes more than one " * 20 + "</think>"
    with ollama_stand_in.start(answer=lambda asked: thought + '{"answer": 2}') as server:
        assert found(server, "ollama:llama3.2")["structured"].ok


def test_a_recording_is_read_and_counted_not_asked(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    call = ChatCall(model_id="m", messages=(Message(role="user", text="something else"),))
    asyncio.run(RecordingChat(ScriptedChat(["yes"]), file).complete(call))
    told = asyncio.run(probe(f"replay:{file}", ModelPlan(), Path(), QUESTION, {}))
    assert [(one.name, one.ok) for one in told] == [("choice", True), ("answers", True)]
    assert told[-1].what == "1 recorded"
    file.write_text("")
    assert asyncio.run(probe(f"replay:{file}", ModelPlan(), Path(), QUESTION, {}))[-1].fix
    file.write_text("no JSON\n")
    assert not asyncio.run(probe(f"replay:{file}", ModelPlan(), Path(), QUESTION, {}))[-1].ok
