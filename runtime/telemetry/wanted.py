"""What the standard variables ask for: which exporters, of which signals.  Everything else the SDK reads by itself.

Source: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Wanted", "wanted"]

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
DEFAULT_PROTOCOL = "http/protobuf"
"""The specification's default; the SDK's own is grpc."""

ENTRY_POINTS = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}
"""Protocol → the name under which the package of its exporter registers."""


@dataclass(frozen=True)
class Wanted:
    """The exporters of each signal, by the names under which packages register them; `odd`: what was not understood."""

    traces: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.traces or self.metrics)


def wanted(environment: Mapping[str, str]) -> Wanted:
    """Nothing, unless an endpoint or an exporter is named.

    A signal without an exporter's name of its own goes by OTLP where it has an endpoint.  A value that is not
    understood is told in `odd` and otherwise ignored, as the specification wants it.
    """
    if _value(environment, "OTEL_SDK_DISABLED").lower() == "true":
        return Wanted()
    odd: list[str] = []
    return Wanted(
        traces=_exporters(environment, "TRACES", odd),
        metrics=_exporters(environment, "METRICS", odd),
        odd=tuple(odd),
    )


def _exporters(environment: Mapping[str, str], signal: str, odd: list[str]) -> tuple[str, ...]:
    has_endpoint = _value(environment, ENDPOINT) or _value(environment, f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    named = _value(environment, f"OTEL_{signal}_EXPORTER") or ("otlp" if has_endpoint else "none")
    found: list[str] = []
    for name in dict.fromkeys(part.strip() for part in named.split(",")):
        if name == "otlp":
            variable = f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL"
            variable = variable if _value(environment, variable) else PROTOCOL
            protocol = _value(environment, variable) or DEFAULT_PROTOCOL
            if protocol in ENTRY_POINTS:
                found.append(ENTRY_POINTS[protocol])
            else:
                odd.append(f"{variable}={protocol}: known are {', '.join(ENTRY_POINTS)}")
        elif name == "console":
            found.append(name)
        elif name not in ("none", ""):
            odd.append(f"OTEL_{signal}_EXPORTER={name}: known are otlp, console, none")
    return tuple(found)


def _value(environment: Mapping[str, str], name: str) -> str:
    """An empty variable is as good as none."""
    return environment.get(name, "").strip()
