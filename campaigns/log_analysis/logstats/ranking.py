"""The first few of many."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from logstats.records import Request

Item = TypeVar("Item", bound=Hashable)


def unique(items: Iterable[Item]) -> list[Item]:
    """The items without repetitions, each where it first stood."""
    seen: list[Item] = []
    for item in items:
        if item not in seen:
            seen.append(item)
    return seen


def top(counts: Mapping[str, int], k: int) -> list[tuple[str, int]]:
    """The `k` names with the highest counts, highest first, equals by name."""
    remaining = list(counts.items())
    best: list[tuple[str, int]] = []
    while remaining and len(best) < k:
        first = min(remaining, key=lambda item: (-item[1], item[0]))
        remaining.remove(first)
        best.append(first)
    return best


def slowest(requests: Sequence[Request], k: int) -> list[Request]:
    """The `k` requests that took longest, longest first, equals in their order."""
    kept: list[Request] = []
    for request in requests:
        kept.append(request)
        kept.sort(key=lambda one: -one.duration)
        kept = kept[:k]
    return kept
