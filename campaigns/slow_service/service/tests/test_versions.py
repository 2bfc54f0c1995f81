from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace

from fastapi.testclient import TestClient
from shop import loyalty, orders
from shop.app import create_app
from shop.database import Database
from shop.telemetry import Recorder


def seven(volumes: list[int], zone: str) -> int:
    assert (volumes, zone) == ([1], "home")
    return 7


def test_a_request_uses_the_version_it_was_given(tmp_path: Path) -> None:
    quotes = ModuleType("other.shop.quotes")
    vars(quotes).update(ZONES={"home": 100}, basket_quote=seven)
    other = SimpleNamespace(
        quotes=quotes, loyalty=loyalty, orders=orders, WATCHED=((quotes, ("basket_quote",)),), recorder=None
    )

    @contextmanager
    def version() -> Iterator[SimpleNamespace]:
        yield other

    recorder = Recorder(tmp_path / "told.jsonl")
    with TestClient(create_app(Database(tmp_path / "shop.db", orders=60), recorder, version)) as client:
        assert client.get("/quote", params={"volumes": "1"}).json() == {"cents": 7}
    recorder.close()
    assert '"file": "shop/quotes.py"' in (tmp_path / "told.jsonl").read_text()
