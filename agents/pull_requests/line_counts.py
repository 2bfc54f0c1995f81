"""How many lines a change adds and takes away."""

from __future__ import annotations

from collections import Counter

from agents.code.alignment import aligned
from core.pull_requests import CodeChange

__all__ = ["line_counts"]

ALIGNED_LINES = 4_000
"""Larger files are counted without regard to the order of their lines, which takes no time."""


def line_counts(change: CodeChange) -> tuple[int, int] | None:
    """(added, removed); None where that is not known: of a binary file, or one whose original is not given."""
    known = change.change_type == "create" or change.original_content is not None
    before = _lines(change.original_content or "")
    after = _lines(change.new_content)
    if not known or before is None or after is None:
        return None
    if len(before) + len(after) > ALIGNED_LINES:
        common = (Counter(before) & Counter(after)).total()
    else:
        common = len(aligned(before, after))
    return len(after) - common, len(before) - common


def _lines(content: str | bytes) -> list[str] | None:
    if isinstance(content, bytes):
        if b"\0" in content:
            return None
        try:
            content = content.decode()
        except UnicodeDecodeError:
            return None
    lines = content.split("\n")
    return lines if lines[-1] else lines[:-1]
