"""Any Python value as plain JSON data of bounded size: what a stranger's function returned can then be kept."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Set
from enum import Enum
from typing import Any

from pydantic import BaseModel

__all__ = ["MAX_CHARS", "MAX_ITEMS", "plain"]

MAX_CHARS = 200_000
"""Of one text."""
MAX_ITEMS = 1_000
"""Of one list or dictionary."""
MAX_DEPTH = 12
MAX_TOTAL = 20_000
"""Values in all."""


def plain(value: Any) -> Any:
    """None, bool, int, finite float, str, and lists and dictionaries of these.

    What is too long, too deep or too much is cut, and a mark says so.  Records and dataclasses become dictionaries,
    bytes their number, any other object its class.  The same value again gives the same data; nothing raises.
    """
    return _Plain().made(value, 0)


class _Plain:
    def __init__(self) -> None:
        self._left = MAX_TOTAL
        self._inside: set[int] = set()

    def made(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Enum):
            return self.made(value.value, depth)
        if isinstance(value, int):
            # a number that no other program reads back is a text
            return int(value) if abs(value) < 2**63 else _cut(hex(value))
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else str(float(value))
        if isinstance(value, str):
            return _cut(value.encode("utf-8", "replace").decode())
        if isinstance(value, bytes | bytearray | memoryview):
            return f"({len(value)} bytes)"
        if self._left <= 0 or depth >= MAX_DEPTH or id(value) in self._inside:
            return "(cut)"
        self._inside.add(id(value))
        try:
            return self._many(value, depth + 1)
        except Exception:  # noqa: BLE001  # a stranger's property or iterator may raise anything
            return f"({type(value).__name__})"
        finally:
            self._inside.discard(id(value))

    def _many(self, value: Any, depth: int) -> Any:
        if isinstance(value, BaseModel):
            value = {name: getattr(value, name) for name in type(value).model_fields}
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        if isinstance(value, Mapping):
            kept = list(value.items())[:MAX_ITEMS]
            told = {_cut(str(key)): self.made(one, depth) for key, one in kept}
            return told | ({"(cut)": len(value) - len(kept)} if len(value) > len(kept) else {})
        if isinstance(value, Set):
            value = sorted(value, key=repr)
        if isinstance(value, list | tuple):
            items = [self.made(one, depth) for one in value[:MAX_ITEMS]]
            return items + ([f"(cut: {len(value) - MAX_ITEMS} more)"] if len(value) > MAX_ITEMS else [])
        return f"({type(value).__name__})"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]}(cut: {len(text) - MAX_CHARS} more characters)"
