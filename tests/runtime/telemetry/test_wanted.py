"""What the standard variables ask for."""

from __future__ import annotations

import pytest

from runtime.telemetry import Wanted, wanted

HTTP, GRPC = ("otlp_proto_http",), ("otlp_proto_grpc",)


@pytest.mark.parametrize(
    ("variables", "traces", "metrics"),
    [
        ({}, (), ()),
        ({"OTEL_SERVICE_NAME": "mine"}, (), ()),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, HTTP, HTTP),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, (), ()),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, HTTP, ()),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c:4318/v1/metrics"}, (), HTTP),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, GRPC, GRPC),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/protobuf",
            },
            GRPC,
            HTTP,
        ),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, HTTP, ()),
        ({"OTEL_TRACES_EXPORTER": "console,otlp"}, ("console", *HTTP), ()),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_METRICS_EXPORTER": "none"}, HTTP, ()),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "True"}, (), ()),
    ],
)
def test_an_exporter_or_an_endpoint_turns_a_signal_on(
    variables: dict[str, str], traces: tuple[str, ...], metrics: tuple[str, ...]
) -> None:
    assert wanted(variables) == Wanted(traces, metrics)
    assert bool(wanted(variables)) == bool(traces or metrics)


@pytest.mark.parametrize(
    "variables",
    [
        {"OTEL_TRACES_EXPORTER": "zipkin"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
    ],
)
def test_what_is_not_understood_is_told_and_ignored(variables: dict[str, str]) -> None:
    asked = wanted(variables)
    assert not asked
    *_, value = variables.values()
    assert all(value in odd for odd in asked.odd)
    assert asked.odd
