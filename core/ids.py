"""Ids and clock.  Ids come from content, never from a clock or a random number: the same work has the same id."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any, Protocol

__all__ = ["Clock", "canonical", "content_hash", "content_id", "system_clock"]


class Clock(Protocol):
    """Seconds since the epoch, UTC."""

    def __call__(self) -> float: ...


def system_clock() -> float:
    return time.time()


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values have equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def content_hash(*parts: Any) -> str:
    """SHA-256 of the canonical JSON of `parts`, 64 hexadecimal characters."""
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


def content_id(prefix: str, *parts: Any) -> str:
    """`prefix` and the first ten characters of the hash of the content, such as `p-3f9a12bc04`."""
    return f"{prefix}-{content_hash(*parts)[:10]}"
