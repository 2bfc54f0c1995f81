"""Pages of a list: a cursor names the last thing of the page before, so that what is added meanwhile moves nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from core.errors import NotFoundError

__all__ = ["page", "whole_number"]

T = TypeVar("T")


def page(
    things: Sequence[T], key: Callable[[T], str], limit: int | None, after: str | None
) -> tuple[Sequence[T], str | None]:
    """(the things after the one whose key is `after`, at most `limit`, the next cursor or None).

    Raises NotFoundError for a cursor that names nothing.
    """
    begin = 0
    if after is not None:
        at = next((i for i in range(len(things) - 1, -1, -1) if key(things[i]) == after), None)
        if at is None:
            raise NotFoundError(f"there is no page after {after[:80]!r}", where="after", hint="take `next` of a page")
        begin = at + 1
    end = len(things) if limit is None else begin + limit
    return things[begin:end], key(things[end - 1]) if end < len(things) else None


def whole_number(after: str | None) -> int:
    """A cursor that is a number; 0 without one."""
    return 0 if after is None else int(after)
