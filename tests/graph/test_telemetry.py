"""The spans of whole runs, as a collector on loopback decodes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from council_answers import answer
from tiny_campaign import run, write_campaign

from tests.collectors.otlp import Collector, attributes, grpc_collector, http_collector
from tests.model_servers.ollama_stand_in import Server
from tests.model_servers.ollama_stand_in import start as start_server


@pytest.fixture
def server() -> Iterator[Server]:
    with start_server(answer=answer) as one:
        yield one


def words(path: Path) -> tuple[str, ...]:
    return ("run", str(path), "--home", str(path.parent / "home"), "--model", "ollama:llama3.2")


@pytest.mark.slow
@pytest.mark.parametrize(("open_collector", "protocol"), [(http_collector, "http/protobuf"), (grpc_collector, "grpc")])
def test_every_call_of_a_model_arrives_under_one_span_of_the_run(
    tmp_path: Path,
    server: Server,
    open_collector: Callable[[], AbstractContextManager[Collector]],
    protocol: str,
) -> None:
    with open_collector() as collector:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
        code, lines, said = run(*words(write_campaign(tmp_path)), env={"OLLAMA_HOST": server.url, **variables})
        assert code == 0
        assert "telemetry" not in said
        spans = collector.spans
        (whole,) = [span for span in spans if span.name == "ratchet run"]
        chats = [span for span in spans if span.name == "chat llama3.2"]
        assert len(chats) == len(server.calls)
        assert {span.trace_id for span in spans} == {whole.trace_id}
        told = [attributes(span) for span in chats]
        assert {one["gen_ai.operation.name"] for one in told} == {"chat"}
        assert {one["gen_ai.provider.name"] for one in told} == {"ollama"}
        asked = Counter(event["role"] for event in lines if event["type"] == "ModelCalled")
        assert Counter(one["ratchet.role"] for one in told) == asked
        assert sum(one["gen_ai.usage.input_tokens"] for one in told) == lines[-1]["model"]["input_tokens"]
        # of what was said nothing: neither a prompt's text nor an answer's, nor where the files lie
        for secret in ("You are", "nothing speaks against it", str(tmp_path)):
            assert secret not in collector.text


@pytest.mark.slow
def test_a_collector_that_is_away_changes_nothing_but_one_line(tmp_path: Path, server: Server) -> None:
    away = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_SCHEDULE_DELAY": "50"}
    code, lines, said = run(*words(write_campaign(tmp_path)), env={"OLLAMA_HOST": server.url, **away})
    assert code == 0
    assert lines[-1]["status"] == "finished"
    assert said.count("telemetry: ") == 1
    assert "opentelemetry" not in said


def test_an_error_is_told_by_its_kind(tmp_path: Path) -> None:
    with http_collector() as collector:
        code, _, _ = run("run", str(tmp_path / "nowhere.yaml"), env={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
        assert code == 3
        (span,) = collector.spans
        assert attributes(span) == {"error.type": "NotFoundError"}
        assert str(tmp_path) not in collector.text
