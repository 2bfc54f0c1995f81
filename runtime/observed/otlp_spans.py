"""Spans of OpenTelemetry as completions: who called whom is known when the caller's own span has come.

A caller ends after what it calls, so its span often comes in a later request: completions wait for it HOLD_S at most.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from core.ids import content_hash
from core.telemetry import Completion
from runtime.observed.otlp_values import attributes, component_of

__all__ = ["Spans"]

HOLD_S = 10.0
MAX_NAMES = 100_000
SERVER, CLIENT, ERROR = 2, 3, 2


class Spans:
    """`add` takes what an exporter sent; `ready` gives the completions whose caller is known, or waited for enough."""

    def __init__(self, hold_s: float = HOLD_S) -> None:
        self._hold_s = hold_s
        self._names: OrderedDict[bytes, str] = OrderedDict()
        self._waiting: list[tuple[float, bytes, Completion]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, resources: Any, now: float) -> int:
        """Spans of an ExportTraceServiceRequest; how many were no usable spans."""
        unusable = 0
        for resource in resources:
            component = component_of(resource.resource)
            for scope in resource.scope_spans:
                for span in scope.spans:
                    try:
                        completion = _completion(span, component)
                    except ValueError:
                        unusable += 1
                        continue
                    self._names[bytes(span.span_id)] = completion.function
                    self._waiting.append((now, bytes(span.parent_span_id), completion))
        while len(self._names) > MAX_NAMES:
            self._names.popitem(last=False)
        return unusable

    def ready(self, now: float) -> list[Completion]:
        told: list[Completion] = []
        waiting: list[tuple[float, bytes, Completion]] = []
        for since, parent, one in self._waiting:
            if not parent or one.caller:
                told.append(one)
            elif parent in self._names:
                told.append(one.model_copy(update={"caller": self._names[parent]}))
            elif now - since >= self._hold_s:
                told.append(one)
            else:
                waiting.append((since, parent, one))
        self._waiting = waiting
        return told


def _completion(span: Any, component: str) -> Completion:
    """Raises ValueError for a span that is none: without an end, or ending before it begins."""
    told = attributes(span.attributes)
    if not span.end_time_unix_nano or span.end_time_unix_nano < span.start_time_unix_nano:
        raise ValueError("no end")
    statement = str(told.get("db.query.text") or told.get("db.statement") or "")[:4000]
    is_query = bool(statement) or "db.system" in told or "db.system.name" in told
    is_request = span.kind == SERVER
    operation = "request" if is_request else "query" if is_query else "call" if span.kind == CLIENT else "function"
    failed = span.status.code == ERROR
    size = told.get("input.size", told.get("code.input.size"))
    return Completion(
        at=span.end_time_unix_nano / 1e9,
        component=component,
        id=f"{span.trace_id.hex()}:{span.span_id.hex()}",
        function=str(told.get("code.function.name") or told.get("code.function") or span.name)[:300],
        operation=operation,
        file=str(told.get("code.file.path") or told.get("code.filepath") or ""),
        duration_s=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
        ok=not failed,
        error_type=_error_type(span, told) if failed else "",
        trace_id=span.trace_id.hex(),
        caller=str(told.get("caller", "")),
        statement=statement,
        arguments=_arguments(told),
        size=float(size) if isinstance(size, int | float) else None,
        revision=str(told.get("service.version", ""))[:200] if is_request else "",
    )


def _arguments(told: dict[str, Any]) -> str:
    """What is equal for equal arguments: told so, the parameters of a query, or the address of a call."""
    if "code.arguments" in told:
        text = str(told["code.arguments"])
    elif parameters := sorted((n, str(v)) for n, v in told.items() if n.startswith("db.query.parameter.")):
        text = repr(parameters)
    elif "url.full" in told or "http.url" in told:
        text = f"{told.get('http.request.method', '')} {told.get('url.full') or told.get('http.url')}"
    else:
        return ""
    return text if len(text) <= 400 else content_hash(text)


def _error_type(span: Any, told: dict[str, Any]) -> str:
    for event in span.events:
        if event.name == "exception":
            return str(attributes(event.attributes).get("exception.type", ""))[:200]
    return str(told.get("error.type", "error"))[:200]
