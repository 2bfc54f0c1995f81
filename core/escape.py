"""Text of others (logs, models, scripts) as a terminal may show it: nothing moves the cursor or changes direction."""

from __future__ import annotations

import unicodedata

__all__ = ["escaped"]

KEPT = {"\n", "\t"}


def escaped(text: str) -> str:
    """`text` with control characters and bidirectional marks written as `\\x1b`, `\\u202e` …"""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c in KEPT or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co") else _spelled(c) for c in text
    )


def _spelled(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
