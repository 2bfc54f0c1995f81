"""What the routes call: all that can be changed while the service runs.

The service uses one version of it for each request, to the request's end.
"""

from __future__ import annotations

from shop import orders, quotes, related

__all__ = ["WATCHED", "orders", "quotes", "related"]

WATCHED = (
    (quotes, ("packing_cost", "basket_quote")),
    (related, ("common_buyers", "related_products")),
    (orders, ("customer_orders",)),
)
"""The functions that are timed, by module."""
