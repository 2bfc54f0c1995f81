"""A receiver of OTLP over HTTP on loopback: metrics, logs and traces of the services that are watched.

Binary protobuf or JSON, plain or gzip.  Bounds: bytes of a body before and after it is unpacked, requests at once, and
records that wait to be read: beyond that it answers 429, and tells a gap.  It answers to its own addresses only, so
that no page in a browser reaches it by another name.

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import base64
import http.server
import json
import threading
import time
import zlib
from collections import Counter, deque
from typing import Any

from core.telemetry import Telemetry, TelemetryGap
from runtime.observed.counters import Counters
from runtime.observed.otlp_spans import Spans
from runtime.observed.otlp_values import log_lines, metric_points
from runtime.observed.source import Reading

__all__ = ["OtlpReceiver"]

BODY_BYTES = 4 * 1024 * 1024
UNPACKED_BYTES = 16 * 1024 * 1024
MAX_WAITING = 100_000
MAX_AT_ONCE = 8
MAX_CONNECTIONS = 64
READ_S = 10.0
RETRY_AFTER_S = 5
IDS = ("traceId", "spanId", "parentSpanId")
PATHS = ("/v1/metrics", "/v1/logs", "/v1/traces")
PROTOBUF, JSON = "application/x-protobuf", "application/json"


class OtlpReceiver:
    """Listens once made; `url` is for a service's OTEL_EXPORTER_OTLP_ENDPOINT.  Port 0 takes a free one."""

    def __init__(
        self, port: int = 0, *, name: str = "otlp", max_waiting: int = MAX_WAITING, hold_s: float = 10.0
    ) -> None:
        self.name = name
        self._max_waiting = max_waiting
        self._lock = threading.Lock()
        self._records: deque[Telemetry] = deque()
        self._spans = Spans(hold_s)
        self._counters = Counters()
        self._aside: Counter[str] = Counter()
        self._full = False
        self._last_read: float | None = None
        self._server = _Server(("127.0.0.1", port), self._receive)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True, name="otlp-receiver"
        )
        self._thread.start()

    def read(self, now: float) -> Reading:
        with self._lock:
            records = list(self._records)
            self._records.clear()
            records += self._spans.ready(now)
            aside = dict(self._aside)
            self._aside.clear()
            if self._full:
                begin = self._last_read if self._last_read is not None else now
                records.append(TelemetryGap(source=self.name, begin=begin, end=now, reason="throttled"))
            self._full = False
            self._last_read = now
        return Reading(records, aside=aside)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _receive(self, path: str, content_type: str, body: bytes, now: float) -> tuple[int, bytes]:
        """The status and answer to one request, whose records then wait to be read."""
        with self._lock:
            if len(self._records) + len(self._spans) >= self._max_waiting:
                self._full = True
                return 429, b""
        try:
            request, answer = _parse(path, content_type, body)
        except ValueError:
            with self._lock:
                self._aside["unreadable"] += 1
            return 400, b""
        with self._lock:
            try:
                if path == "/v1/metrics":
                    self._records.extend(metric_points(request.resource_metrics, self._counters, now))
                elif path == "/v1/logs":
                    self._records.extend(log_lines(request.resource_logs, now))
                else:
                    self._aside["unreadable"] += self._spans.add(request.resource_spans, now)
            except (ValueError, OverflowError):
                self._aside["unreadable"] += 1
                return 400, b""
        return 200, answer


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 32

    def __init__(self, address: tuple[str, int], receive: Any) -> None:
        self.receive = receive
        self.at_once = threading.BoundedSemaphore(MAX_AT_ONCE)
        self._connections = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, _Receiving)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._connections.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A partner that went away is no news."""


class _Receiving(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = READ_S

    def do_POST(self) -> None:  # named by http.server
        status, kind, answer = self._answer()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        if status == 429:
            self.send_header("Retry-After", str(RETRY_AFTER_S))
        if status in (400, 411, 413):
            # the rest of the body was not read
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer)

    def _answer(self) -> tuple[int, str, bytes]:
        kind = self.headers.get_content_type()
        if kind not in (PROTOBUF, JSON):
            self.close_connection = True
            return 415, "text/plain", b""
        port = self.server.server_address[1]
        if self.headers.get("Host", "") not in (f"127.0.0.1:{port}", f"localhost:{port}") or "Origin" in self.headers:
            self.close_connection = True
            return 403, kind, b""
        if self.path not in PATHS:
            self.close_connection = True
            return 404, kind, b""
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            return 411, kind, b""
        if not 0 <= length <= BODY_BYTES:
            return 413, kind, b""
        with self.server.at_once:
            body = self.rfile.read(length)
            if len(body) < length:
                return 400, kind, b""
            if self.headers.get("Content-Encoding", "identity") == "gzip":
                unpacked = _unpacked(body)
                if unpacked is None:
                    return 413, kind, b""
                body = unpacked
            status, answer = self.server.receive(self.path, kind, body, time.time())
        return status, kind, answer

    def log_message(self, *_: Any) -> None:
        """Silent."""


def _unpacked(body: bytes) -> bytes | None:
    """The content of a gzip body; None when it is none, or too much."""
    unpacking = zlib.decompressobj(wbits=31)
    try:
        content = unpacking.decompress(body, UNPACKED_BYTES)
    except zlib.error:
        return None
    return content if unpacking.eof else None


def _parse(path: str, content_type: str, body: bytes) -> tuple[Any, bytes]:
    """The request, and the answer to it.  Raises ValueError for what is none."""
    from google.protobuf.json_format import ParseDict, ParseError
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    requests: dict[str, Any] = {
        "/v1/metrics": ExportMetricsServiceRequest,
        "/v1/logs": ExportLogsServiceRequest,
        "/v1/traces": ExportTraceServiceRequest,
    }
    request = requests[path]()
    try:
        if content_type == JSON:
            ParseDict(_with_ids(json.loads(body)), request, ignore_unknown_fields=True, max_recursion_depth=30)
            return request, b"{}"
        request.ParseFromString(body)
    except (ParseError, DecodeError, RecursionError, AttributeError, TypeError) as error:
        raise ValueError("no OTLP") from error
    return request, b""


def _with_ids(told: Any) -> Any:
    """OTLP's JSON has ids in hexadecimal, protobuf's own JSON wants base64."""
    if isinstance(told, list):
        return [_with_ids(one) for one in told]
    if not isinstance(told, dict):
        return told
    return {
        key: base64.b64encode(bytes.fromhex(one)).decode() if key in IDS and isinstance(one, str) else _with_ids(one)
        for key, one in told.items()
    }
