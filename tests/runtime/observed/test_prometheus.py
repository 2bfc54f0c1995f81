"""A /metrics endpoint of the library's own, scraped over loopback."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from runtime.observed.counters import Counters, bucket_quantile
from runtime.observed.prometheus import PrometheusScrape


@dataclass
class Endpoint:
    url: str = ""
    status: int = 200
    body: bytes = b""
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    at = Endpoint()

    class Metrics(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = at.body or generate_latest(at.registry)
            self.send_response(at.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metrics)
    server.daemon_threads = True
    at.url = f"http://127.0.0.1:{server.server_address[1]}/metrics"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield at
    server.shutdown()
    server.server_close()
    thread.join()


def told(source: PrometheusScrape, now: float) -> dict[str, float]:
    return {one.key: one.value for one in source.read(now).records if one.kind == "metric"}


def test_counters_become_rates_and_histograms_quantiles(endpoint: Endpoint) -> None:
    asked = Counter("http_requests", "x", ["code"], registry=endpoint.registry)
    took = Histogram("request_seconds", "x", buckets=[0.1, 0.2, 0.4], registry=endpoint.registry)
    Gauge("pool_usage_ratio", "x", registry=endpoint.registry).set(0.75)
    for code in ("200", "500"):
        asked.labels(code)
    source = PrometheusScrape(endpoint.url, component="web")
    assert set(told(source, 100)) == {"web/pool_usage_ratio"}
    asked.labels("200").inc(90)
    asked.labels("500").inc(30)
    for _ in range(50):
        took.observe(0.05)
        took.observe(0.15)
    seen = told(source, 160)
    assert seen["web/http_requests_total{code=200}"] == pytest.approx(1.5)
    assert seen["web/http_requests.error_rate"] == pytest.approx(0.25)
    assert seen["web/request_seconds.p50"] == pytest.approx(0.1)
    assert seen["web/request_seconds.p95"] == pytest.approx(0.19)
    assert seen["web/request_seconds.mean"] == pytest.approx(0.1)
    assert seen["web/request_seconds.rate"] == pytest.approx(100 / 60)
    assert "web/request_seconds.p95" not in told(source, 220)  # nothing happened, so nothing is told of it
    source.close()


def test_what_does_not_answer_is_a_gap_with_its_reason(endpoint: Endpoint) -> None:
    source = PrometheusScrape(endpoint.url, name="web")
    Gauge("g", "x", registry=endpoint.registry).set(1)
    assert told(source, 0)
    for now, status, body, reason in (
        (60, 503, b"", "refused"),
        (120, 429, b"", "throttled"),
        (180, 200, b"}{ nothing\n", "unreadable"),
        (240, 200, b"x" * (17 * 1024 * 1024), "unreadable"),
    ):
        endpoint.status, endpoint.body = status, body
        (gap,) = source.read(now).records
        assert (gap.kind, gap.source, gap.begin, gap.end, gap.reason) == ("gap", "web", now - 60, now, reason)
    source.close()
    nobody = PrometheusScrape("http://127.0.0.1:9/metrics")
    assert nobody.read(0).records[0].reason == "unreachable"
    nobody.close()


def test_a_counter_that_begins_anew_does_not_go_backwards() -> None:
    counters = Counters()
    assert [counters.rate("c", at, value) for at, value in ((0, 100), (10, 150), (20, 30), (20, 40), (30, 30))] == [
        None, 5.0, 3.0, None, 0.0,
    ]  # fmt: skip
    assert counters.rate("c", 40, float("nan")) is None


def test_quantiles_are_interpolated_within_their_bucket() -> None:
    bounds = [0.1, 0.5, float("inf")]
    assert bucket_quantile(0.5, bounds, [0, 10, 0]) == pytest.approx(0.3)
    assert bucket_quantile(0.99, bounds, [1, 1, 98]) == 0.5
    assert bucket_quantile(0.5, bounds, [0, 0, 0]) is None
    assert bucket_quantile(0.5, [float("inf")], [3]) is None
