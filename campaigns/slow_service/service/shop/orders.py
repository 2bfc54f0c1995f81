"""A customer's orders, out of the database."""

from __future__ import annotations

from typing import Any

from shop.database import Database

__all__ = ["customer_orders"]


def customer_orders(database: Database, customer: int) -> list[dict[str, Any]]:
    """The orders of a customer, newest first, each with its lines and its total in cents."""
    orders = database.rows("SELECT id, placed FROM orders WHERE customer = ? ORDER BY id DESC", (customer,))
    told = []
    for order_id, placed in orders:
        lines = database.rows(
            "SELECT product, pieces, cents FROM lines WHERE order_id = ? ORDER BY product", (order_id,)
        )
        told.append(
            {
                "id": order_id,
                "placed": placed,
                "lines": [{"product": product, "pieces": pieces} for product, pieces, _ in lines],
                "total": sum(pieces * cents for _, pieces, cents in lines),
            }
        )
    return told
