import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from shop import quotes
from shop.app import create_app
from shop.database import Database
from shop.telemetry import Recorder


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shop") / "told.jsonl"


@pytest.fixture(scope="module")
def client(told: Path) -> Iterator[TestClient]:
    recorder = Recorder(told)
    with TestClient(create_app(Database(told.parent / "shop.db", recorder.query, orders=3000), recorder)) as client:
        yield client


def test_quotes(client: TestClient) -> None:
    answer = client.get("/quote", params={"volumes": "100,200", "zone": "near"}).json()
    assert answer == {"cents": quotes.basket_quote([100, 200], "near")}
    assert client.get("/quote", params={"volumes": "100", "zone": "moon"}).status_code == 422
    assert client.get("/quote", params={"volumes": "a lot"}).status_code == 422


def test_orders(client: TestClient) -> None:
    assert client.get("/customers/3/orders").json()["orders"]
    assert client.get("/customers/999/orders").status_code == 404


def test_buyers(client: TestClient) -> None:
    first, again = (client.get("/products/1/buyers").json() for _ in range(2))
    assert first == again
    assert first["card"].endswith("(no. 1)")
    assert 0.5 < first["loyal"] <= 1.0
    assert first["entries"] > client.get("/products/80/buyers").json()["entries"]
    assert client.get("/products/999/buyers").status_code == 404


def test_health_and_figures(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    client.get("/products/5/buyers")
    figures = client.get("/metrics").text
    assert 'shop_requests_total{route="GET /products/{product}/buyers",status="200"}' in figures
    assert 'shop_cache_lookups_total{cache="cards",hit="false"}' in figures
    assert "shop_request_seconds_bucket" in figures


def test_what_is_told(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "told.jsonl")
    app = create_app(Database(tmp_path / "shop.db", recorder.query, orders=3000), recorder)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("as it is meant to")

    with TestClient(app, raise_server_exceptions=False) as client:
        client.get("/customers/3/orders")
        client.get("/quote", params={"volumes": "100,100"})
        assert client.get("/broken").status_code == 500
    recorder.close()
    lines = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text().splitlines()]
    first = next(line for line in lines if line.get("operation") == "request")
    assert first["function"] == "GET /customers/{customer}/orders"
    queries = [line for line in lines if line.get("operation") == "query" and line["trace_id"] == first["trace_id"]]
    assert len(queries) > 1
    packed = [line for line in lines if line.get("function") == "packing_cost"]
    assert [line["size"] for line in packed] == [100, 100]
    assert packed[0]["arguments"] == packed[1]["arguments"]
    error = next(line for line in lines if line["kind"] == "log")
    assert (error["error_type"], error["level"]) == ("RuntimeError", "error")
