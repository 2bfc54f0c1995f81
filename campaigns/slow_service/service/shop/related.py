"""Which products the same people buy."""

from __future__ import annotations

__all__ = ["common_buyers", "related_products"]


def common_buyers(mine: list[int], theirs: list[int]) -> int:
    """How many entries of `theirs` stand among `mine`."""
    known = list(mine)
    count = 0
    for buyer in theirs:
        if buyer in known:
            count += 1
    return count


def related_products(product: int, buyers: dict[int, list[int]], most: int = 5) -> list[tuple[int, int]]:
    """(product, buyers in common) of the products that share most buyers with `product`, at most `most` of them.

    Of two with the same count the one with the lower number comes first.  Raises KeyError for an unknown product.
    """
    mine = buyers[product]
    counted = [(other, common_buyers(mine, theirs)) for other, theirs in buyers.items() if other != product]
    shared = [pair for pair in counted if pair[1]]
    return sorted(shared, key=lambda pair: (-pair[1], pair[0]))[:most]
