"""The OTLP receiver, spoken to by OpenTelemetry's own exporters and by hand."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind

from core.telemetry import Completion, LogLine
from runtime.observed.otlp import OtlpReceiver

LOGS = {
    "resourceLogs": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
            "scopeLogs": [
                {
                    "logRecords": [
                        {
                            "timeUnixNano": "1700000000000000000",
                            "severityNumber": 17,
                            "body": {"stringValue": "boom"},
                            "traceId": "5b8efff798038103d269b633813fc60c",
                            "attributes": [{"key": "exception.type", "value": {"stringValue": "KeyError"}}],
                        }
                    ]
                }
            ],
        }
    ]
}


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    one = OtlpReceiver()
    yield one
    one.close()


def test_traces_become_completions_that_know_their_caller(receiver: OtlpReceiver) -> None:
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}), shutdown_on_exit=False)
    # each span is sent by itself, a child before its parent
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{receiver.url}/v1/traces")))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("GET /items", kind=SpanKind.SERVER):
        with tracer.start_as_current_span("list_items", attributes={"code.file.path": "app.py", "input.size": 3}):
            for number in range(2):
                with tracer.start_as_current_span("q", attributes={"db.query.text": f"SELECT {number}"}):
                    pass
        with pytest.raises(KeyError), tracer.start_as_current_span("fetch", kind=SpanKind.CLIENT):
            raise KeyError("x")
    provider.shutdown()
    told = [one for one in receiver.read(time.time()).records if isinstance(one, Completion)]
    assert [(one.function, one.operation, one.caller, one.ok) for one in told] == [
        ("q", "query", "list_items", True),
        ("q", "query", "list_items", True),
        ("list_items", "function", "GET /items", True),
        ("fetch", "call", "GET /items", False),
        ("GET /items", "request", "", True),
    ]
    assert len({one.trace_id for one in told}) == 1
    assert (told[2].file, told[2].size, told[0].statement, told[3].error_type) == ("app.py", 3, "SELECT 0", "KeyError")
    assert all(one.component == "shop" and one.duration_s >= 0 for one in told)


def test_a_child_waits_for_its_parent_but_not_for_ever() -> None:
    receiver = OtlpReceiver(hold_s=10)
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "parentSpanId": "eee19b7ec3c1b173",
        "name": "f", "startTimeUnixNano": "1", "endTimeUnixNano": "1000000001",
    }  # fmt: skip
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span, {**span, "endTimeUnixNano": "0"}]}]}]}
    assert httpx.post(f"{receiver.url}/v1/traces", json=body).status_code == 200
    first = receiver.read(time.time())
    assert (first.records, first.aside) == ([], {"unreadable": 1})
    (one,) = receiver.read(time.time() + 11).records
    assert (one.function, one.caller, one.duration_s) == ("f", "", pytest.approx(1.0))
    receiver.close()


def test_metrics_become_rates_quantiles_and_gauges(receiver: OtlpReceiver) -> None:
    exporter = OTLPMetricExporter(f"{receiver.url}/v1/metrics")
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    provider = MeterProvider([reader], Resource.create({"service.name": "shop"}), shutdown_on_exit=False)
    meter = provider.get_meter("test")
    asked, took = meter.create_counter("requests"), meter.create_histogram("request.duration", "ms")
    meter.create_gauge("cpu.utilization", "1").set(0.5)
    asked.add(1)
    took.record(40)
    provider.force_flush()
    receiver.read(time.time())
    asked.add(10)
    for _ in range(10):
        took.record(40)
    provider.force_flush()
    seen = {one.series: one for one in receiver.read(time.time()).records if one.kind == "metric"}
    provider.shutdown()
    assert seen["requests"].value > 0
    assert seen["requests"].unit == "1/s"
    assert 25 < seen["request.duration.p50"].value <= 50  # the bucket that 40 falls into
    assert seen["request.duration.mean"].value == pytest.approx(40)
    assert seen["request.duration.rate"].value == pytest.approx(seen["requests"].value, rel=0.2)
    assert seen["cpu.utilization"].value == 0.5


def test_json_and_gzip_are_understood(receiver: OtlpReceiver) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = httpx.post(f"{receiver.url}/v1/logs", content=gzip.compress(json.dumps(LOGS).encode()), headers=headers)
    assert (answer.status_code, answer.content) == (200, b"{}")
    (line,) = receiver.read(time.time()).records
    assert line == LogLine(
        at=1.7e9, level="error", component="shop", message="boom", error_type="KeyError",
        trace_id="5b8efff798038103d269b633813fc60c",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "content", "headers", "status"),
    [
        ("/v1/logs", b"\xff\xff\xff", {"Content-Type": "application/x-protobuf"}, 400),
        ("/v1/logs", b"[1, 2]", {"Content-Type": "application/json"}, 400),
        ("/v1/logs", b"[" * 50_000, {"Content-Type": "application/json"}, 400),
        ("/v1/logs", b"{}", {"Content-Type": "text/plain"}, 415),
        ("/v2/logs", b"{}", {"Content-Type": "application/json"}, 404),
        ("/v1/logs", b"{}", {"Content-Type": "application/json", "Host": "evil.example"}, 403),
        ("/v1/logs", b"{}", {"Content-Type": "application/json", "Origin": "http://127.0.0.1"}, 403),
        ("/v1/logs", b"x" * (4 * 1024 * 1024 + 1), {"Content-Type": "application/json"}, 413),
        (
            "/v1/logs",
            gzip.compress(b" " * (64 * 1024 * 1024)),
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
            413,
        ),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_taken(
    receiver: OtlpReceiver, path: str, content: bytes, headers: dict[str, str], status: int
) -> None:
    try:
        assert httpx.post(receiver.url + path, content=content, headers=headers).status_code == status
    except httpx.WriteError:
        assert status == 413  # refused before it was all sent
    assert receiver.read(time.time()).records == []
    assert httpx.post(f"{receiver.url}/v1/logs", json=LOGS).status_code == 200


def test_what_is_too_much_is_put_off_and_told_as_a_gap() -> None:
    receiver = OtlpReceiver(max_waiting=2)
    receiver.read(0)
    answers = [httpx.post(f"{receiver.url}/v1/logs", json=LOGS) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert "Retry-After" in answers[2].headers
    *lines, gap = receiver.read(100).records
    assert (len(lines), gap.kind, gap.reason, gap.begin, gap.end) == (2, "gap", "throttled", 0, 100)
    assert httpx.post(f"{receiver.url}/v1/logs", json=LOGS).status_code == 200
    receiver.close()
