from pathlib import Path

from shop.database import CUSTOMERS, PRODUCTS, Database
from shop.orders import customer_orders


def test_orders_are_whole_and_newest_first(tmp_path: Path) -> None:
    database = Database(tmp_path / "shop.db", orders=300)
    told = [order for customer in range(1, CUSTOMERS + 1) for order in customer_orders(database, customer)]
    assert len(told) == database.rows("SELECT COUNT(*) FROM orders")[0][0]
    ids = [order["id"] for order in customer_orders(database, 7)]
    assert ids == sorted(ids, reverse=True)
    one = customer_orders(database, 7)[0]
    lines = database.rows("SELECT pieces, cents FROM lines WHERE order_id = ?", (one["id"],))
    assert len(one["lines"]) == len(lines)
    assert one["total"] == sum(pieces * cents for pieces, cents in lines)
    assert [line["product"] for line in one["lines"]] == sorted(line["product"] for line in one["lines"])
    assert customer_orders(database, CUSTOMERS + 1) == []


def test_the_same_seed_is_the_same_shop(tmp_path: Path) -> None:
    one, two = Database(tmp_path / "one.db", seed=3, orders=300), Database(tmp_path / "two.db", seed=3, orders=300)
    assert one.buyers() == two.buyers() != Database(tmp_path / "three.db", seed=4, orders=300).buyers()
    assert set(one.buyers()) == set(range(1, PRODUCTS + 1))


def test_queries_are_told_without_their_values(tmp_path: Path) -> None:
    heard: list[str] = []

    def hear(template: str, seconds: float) -> None:
        assert seconds >= 0
        heard.append(template)

    database = Database(tmp_path / "shop.db", hear, orders=300)
    customer_orders(database, 7)
    assert heard
    assert all("?" in template and "7" not in template for template in heard)
