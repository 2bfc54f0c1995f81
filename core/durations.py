"""Durations as people write them."""

from __future__ import annotations

import re

__all__ = ["parse_duration"]

DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)?\s*$")
SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(text: str | float) -> float:
    """Seconds from `90`, `"90s"`, `"30m"`, `"1.5h"`.  Raises ValueError on anything else."""
    match = DURATION.match(str(text))
    if not match:
        raise ValueError(f"{text!r} is not a duration; write 90s, 30m or 1.5h")
    return float(match[1]) * SECONDS[match[2] or "s"]
