"""The shop's SQLite file: made and filled from a seed when it is not there."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["CUSTOMERS", "PRODUCTS", "Database"]

CUSTOMERS = 225
PRODUCTS = 80
ORDERS = 4500
SCHEMA = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, placed TEXT NOT NULL);
CREATE INDEX orders_of ON orders (customer);
CREATE TABLE lines (
    order_id INTEGER NOT NULL, product INTEGER NOT NULL, pieces INTEGER NOT NULL, cents INTEGER NOT NULL
);
CREATE INDEX lines_of ON lines (order_id);
"""


def _unheard(template: str, seconds: float) -> None:
    """Where nobody listens."""


class Database:
    """One file, a connection for each thread.  `listen` hears the template of every query, without its values."""

    def __init__(
        self, path: Path, listen: Callable[[str, float], None] = _unheard, seed: int = 0, orders: int = ORDERS
    ) -> None:
        self._path = path
        self._listen = listen
        self._local = threading.local()
        if not path.exists():
            self._fill(seed, orders)

    def rows(self, template: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query answers."""
        begun = time.perf_counter()
        found = self._connection().execute(template, values).fetchall()
        self._listen(template, time.perf_counter() - begun)
        return found

    def buyers(self) -> dict[int, list[int]]:
        """Customers by product, one entry for every order line."""
        told: dict[int, list[int]] = {product: [] for product in range(1, PRODUCTS + 1)}
        query = "SELECT product, customer FROM lines JOIN orders ON orders.id = order_id ORDER BY product, order_id"
        for product, customer in self.rows(query):
            told[product].append(customer)
        return told

    def _connection(self) -> sqlite3.Connection:
        made = getattr(self._local, "connection", None)
        if made is None:
            made = self._local.connection = sqlite3.connect(self._path)
        return made

    def _fill(self, seed: int, orders: int) -> None:
        """The same shop for the same seed; whole or not at all."""
        rng = random.Random(seed)
        products = range(1, PRODUCTS + 1)
        popular = [1 / product for product in products]
        draft = self._path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with sqlite3.connect(draft) as connection:
            connection.executescript(SCHEMA)
            for number in range(1, orders + 1):
                placed = f"2026-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
                connection.execute("INSERT INTO orders VALUES (?, ?, ?)", (number, rng.randint(1, CUSTOMERS), placed))
                for product in sorted(set(rng.choices(products, popular, k=rng.randint(1, 5)))):
                    row = (number, product, rng.randint(1, 3), 100 + 37 * product)
                    connection.execute("INSERT INTO lines VALUES (?, ?, ?, ?)", row)
        connection.close()
        draft.replace(self._path)
