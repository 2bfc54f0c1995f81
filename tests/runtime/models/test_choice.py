"""Which model: the forms, what `auto` finds, and errors that say what to write."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from calls import PLAN, Judgement, call, prompt, repair

from core.errors import ConfigError, ModelRefusedError, ModelSilentError
from runtime.models.asking import AskingModel
from runtime.models.choice import check_reachable, check_spec, choose, ollama_url, open_chat, parse_spec
from tests.model_servers import ollama_stand_in
from tests.model_servers.openai_stand_in import start as start_openai
from tests.model_servers.wire import Fault

FACTORIES = """
from runtime.models.scripted_langchain import FunctionChatModel, ScriptedChatModel

def tool():
    return FunctionChatModel(lambda messages, schema: {"score": 0.25, "reason": ",".join(schema["properties"])})

def text(temperature):
    return FunctionChatModel(lambda messages, schema: f'{{"score": {temperature}, "reason": "text"}}')

def broken():
    raise RuntimeError("no weights here")

def no_model():
    return 5

not_callable = 5
"""


@pytest.mark.parametrize(
    "text",
    ["none", "auto", "ollama:llama3.2:3b", "openai:gpt-x", "replay:a b/c.jsonl", "my.module:make", "x/y.py:make"],
)
def test_every_form_is_read_and_written_back(text: str) -> None:
    assert str(parse_spec(text)) == text


@pytest.mark.parametrize(
    "text", ["", "llama3.2", "ollama:", "ollama: ", "gpt:", "auto:x", "a b:c", "m:not-a-name", "ollama:a\nb", "replay"]
)
def test_anything_else_is_an_error_in_three_lines(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_spec(text, "council, voter")
    assert len(str(caught.value).replace(repr(text), "").splitlines()) == 3


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        (":8080", "http://127.0.0.1:8080"),
        ("gpu.example", "http://gpu.example:11434"),
        ("http://gpu.example", "http://gpu.example:80"),
        ("https://gpu.example/ollama/", "https://gpu.example:443/ollama"),
        ("[::1]:99", "http://[::1]:99"),
    ],
)
def test_ollama_host_is_read_as_ollama_reads_it(host: str, url: str) -> None:
    assert ollama_url({"OLLAMA_HOST": host}) == url


def test_a_wrong_ollama_host_is_named() -> None:
    for host in ("ftp://x", "http://x:port", "x:99999"):
        with pytest.raises(ConfigError, match="no address"):
            ollama_url({"OLLAMA_HOST": host})


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        (("mistral:7b", "llama3.2:latest", "nomic-embed-text:latest"), "ollama:llama3.2"),
        (("zephyr:7b", "orca:3b", "giant:70b"), "ollama:zephyr:7b"),
        (("giant:70b", "middle:14b"), "ollama:middle:14b"),
        (("nomic-embed-text:latest",), "none"),
        ((), "none"),
    ],
)
def test_auto_prefers_a_fitting_chat_model(there: tuple[str, ...], chosen: str) -> None:
    with ollama_stand_in.start(models=there) as server:
        told = asyncio.run(choose("auto", {"OLLAMA_HOST": server.url}))
    assert told.model == chosen
    assert server.url in told.reason
    assert "\n" not in told.reason


def test_auto_without_ollama_is_none_and_says_why() -> None:
    told = asyncio.run(choose("auto", {"OLLAMA_HOST": "http://127.0.0.1:1"}))
    assert told.model == "none"
    assert "127.0.0.1:1" in told.reason


def test_what_is_asked_for_is_taken() -> None:
    assert asyncio.run(choose("ollama:x")).model == "ollama:x"


def test_reachability_says_what_is_there() -> None:
    with ollama_stand_in.start() as server:
        environment = {"OLLAMA_HOST": server.url}
        asyncio.run(check_reachable("ollama:llama3.2", Path(), environment))
        with pytest.raises(ModelRefusedError) as caught:
            asyncio.run(check_reachable("ollama:absent", Path(), environment))
    assert "llama3.2" in str(caught.value)
    assert caught.value.hint == "ollama pull absent"
    with pytest.raises(ModelSilentError):
        asyncio.run(check_reachable("ollama:llama3.2", Path(), environment))


def test_an_openai_server_is_looked_for_before_a_run_and_takes_the_key() -> None:
    with start_openai(key="sk-right") as server:
        right = {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "sk-right"}
        asyncio.run(check_reachable("openai:gpt-test", Path(), right))
        asyncio.run(
            check_reachable("openai:gpt-test", Path(), {**right, "OPENAI_BASE_URL": server.url})
        )  # no list: 404
        with pytest.raises(ModelRefusedError, match="the key is wrong") as refused:
            asyncio.run(check_reachable("openai:gpt-test", Path(), {**right, "OPENAI_API_KEY": "sk-wrong"}))
        assert refused.value.hint == "set OPENAI_API_KEY"
        assert not server.calls
    for url in (f"{server.url}/v1", "nonsense", "http://[::1"):
        with pytest.raises((ModelSilentError, ConfigError)) as silent:
            asyncio.run(check_reachable("openai:gpt-test", Path(), {**right, "OPENAI_BASE_URL": url}))
        assert "OPENAI_BASE_URL" in silent.value.hint + silent.value.where


def test_openai_needs_a_key_only_where_openai_is_meant() -> None:
    with pytest.raises(ConfigError, match="no key"):
        open_chat("openai:gpt-x", PLAN, Path(), {})
    open_chat("openai:gpt-x", PLAN, Path(), {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"})


@pytest.mark.parametrize("spec", ["none", "auto"])
def test_no_model_is_no_chat(spec: str) -> None:
    with pytest.raises(ConfigError):
        open_chat(spec, PLAN, Path(), {})


def test_any_langchain_model_by_its_factory(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FACTORIES)
    tool = AskingModel("mine.py:tool", open_chat("mine.py:tool", PLAN, tmp_path), repair)
    assert asyncio.run(tool.ask(prompt(), Judgement)) == Judgement(score=0.25, reason="score,reason,tags")
    text = AskingModel("mine.py:text", open_chat("mine.py:text", PLAN, tmp_path), repair, temperature=0.5)
    assert asyncio.run(text.ask(prompt(), Judgement)).score == 0.5


def test_a_factory_that_fails_is_refused_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FACTORIES)
    for name, reason in (("broken", "no weights here"), ("no_model", "made a int")):
        with pytest.raises(ModelRefusedError, match=reason):
            asyncio.run(open_chat(f"mine.py:{name}", PLAN, tmp_path).complete(call()))
    for spec in ("mine.py:absent", "mine.py:not_callable", "absent.py:make", "no.such.module:make"):
        with pytest.raises(ConfigError):
            open_chat(spec, PLAN, tmp_path)


def test_a_server_that_is_no_ollama_is_said_to_be_none() -> None:
    with ollama_stand_in.start(models=()) as server:
        server.faults = [Fault("garbage")]
        told = asyncio.run(choose("auto", {"OLLAMA_HOST": f"{server.url}/elsewhere"}))
    assert told.model == "none"
    assert "no Ollama" in told.reason
