"""Telemetry set up in a process of its own, as OpenTelemetry takes providers only once in each."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.collectors.otlp import Collector, attributes, grpc_collector, http_collector

ROOT = Path(__file__).parents[3]
PROGRAM = """
import os, sys
from runtime.telemetry import start_telemetry
stop = start_telemetry(os.environ, tell=lambda line: print(line, flush=True))
if "opentelemetry.sdk" in sys.modules and len(sys.argv) > 1:
    sys.exit("the SDK was imported")
from opentelemetry import metrics, trace
with trace.get_tracer("t").start_as_current_span("work", attributes={"n": 3}):
    metrics.get_meter("t").create_counter("things").add(2, {"agent": "builder"})
stop()
stop()
print("stopped")
"""


def run(variables: dict[str, str], *words: str) -> list[str]:
    """The lines that the program printed; it must end well, and say nothing on stderr."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=ROOT, env={**kept, "PYTHONPATH": str(ROOT), **variables}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


def check_arrived(collector: Collector) -> None:
    (span,) = collector.spans
    assert (span.name, attributes(span)) == ("work", {"n": 3})
    (metric,) = [one for one in collector.metrics if one.name == "things"]
    (point,) = metric.sum.data_points
    assert (point.as_int, attributes(point)) == (2, {"agent": "builder"})


@pytest.mark.parametrize(("open_collector", "protocol"), [(http_collector, ""), (grpc_collector, "grpc")])
def test_spans_and_counts_arrive(
    open_collector: Callable[[], AbstractContextManager[Collector]], protocol: str
) -> None:
    with open_collector() as collector:
        lines = run({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol})
        assert len(lines) == 1
        check_arrived(collector)
        assert {one["service.name"] for one in collector.resources} == {"ratchet"}


def test_the_sdk_reads_the_rest_of_the_variables() -> None:
    with http_collector() as collector:
        run({
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.url}/v1/traces",
            "OTEL_EXPORTER_OTLP_HEADERS": "x-key=k1",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_SERVICE_NAME": "mine",
            "OTEL_RESOURCE_ATTRIBUTES": "team=red",
        })  # fmt: skip
        (told,) = collector.resources
        assert (told["service.name"], told["team"]) == ("mine", "red")
        assert collector.headers[0]["x-key"] == "k1"
        assert not collector.metrics


@pytest.mark.parametrize("variables", [{}, {"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}])
def test_unasked_it_does_not_import_the_sdk(variables: dict[str, str]) -> None:
    assert run(variables, "unimported") == ["stopped"]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        yield listening.getsockname()[1]


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_an_unreachable_collector_is_told_once(protocol: str) -> None:
    lines = run({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_PROTOCOL": protocol})
    assert len(lines) == 2
    assert lines[0].startswith("telemetry: ")


@pytest.mark.slow
def test_a_silent_collector_is_not_waited_for_longer_than_the_bound(silent_port: int) -> None:
    lines = run({"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{silent_port}"})
    assert lines[0] == "telemetry: what was left at the end did not leave in time"
    assert len(lines) == 2


def test_a_refusing_collector_is_told_once() -> None:
    with http_collector() as collector:
        collector.status = 403
        lines = run({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
    assert len(lines) == 2
    assert "403" in lines[0]


@pytest.mark.parametrize(
    ("variables", "what"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER=zipkin"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "smoke"}, "OTEL_EXPORTER_OTLP_PROTOCOL=smoke"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}, "soon"),
    ],
)
def test_a_wrong_variable_is_told_and_the_run_goes_on(variables: dict[str, str], what: str) -> None:
    lines = run({"OTEL_METRICS_EXPORTER": "none", **variables})
    assert what in lines[0]
    assert len(lines) == 2


def test_the_console_is_stderr() -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT, env={**kept, "PYTHONPATH": str(ROOT), "OTEL_TRACES_EXPORTER": "console"},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert '"name": "work"' in done.stderr
    assert done.stdout.startswith("stopped")
