"""What the routes call: all that can be changed while the service runs.

The service uses one version of it for each request, to the request's end.
"""

from __future__ import annotations

from shop import loyalty, orders, quotes

__all__ = ["WATCHED", "loyalty", "orders", "quotes"]

WATCHED = (
    (quotes, ("packing_cost", "basket_quote")),
    (loyalty, ("loyal_entries", "loyal_share")),
    (orders, ("customer_orders",)),
)
"""The functions that are timed, by module."""
