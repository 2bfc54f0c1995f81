"""How loyal the buyers of a product are."""

from __future__ import annotations

__all__ = ["loyal_entries", "loyal_share"]


def loyal_entries(buyers: list[int]) -> int:
    """How many entries are of somebody who bought it more than once."""
    count = 0
    for buyer in buyers:
        if buyers.count(buyer) > 1:
            count += 1
    return count


def loyal_share(buyers: list[int]) -> float:
    """The share of the entries that are of loyal buyers; 0 where nobody bought it."""
    return loyal_entries(buyers) / len(buyers) if buyers else 0.0
