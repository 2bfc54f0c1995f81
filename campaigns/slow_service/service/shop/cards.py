"""The text that a product is shown with, kept for the products that were asked for last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

__all__ = ["MOST", "Cards"]

MOST = 4
"""Cards that are kept."""
SYLLABLES = ("ba", "co", "di", "fa", "gu", "le", "mo", "ni", "po", "ra")


class Cards:
    """`told` hears of every look-up whether the card was there."""

    def __init__(self, told: Callable[[bool], None]) -> None:
        self._told = told
        self._kept: OrderedDict[int, str] = OrderedDict()

    def card(self, product: int) -> str:
        """The card of a product."""
        found = self._kept.pop(product, None)
        self._told(found is not None)
        made = found or _written(product)
        self._kept[product] = made
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return made


def _written(product: int) -> str:
    name = "".join(SYLLABLES[int(digit)] for digit in f"{product * 7919 % 1000:03}")
    return f"{name.title()} (no. {product})"
