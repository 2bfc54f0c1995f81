"""How lessons about improvements begin: by it those of one kind are found again."""

from __future__ import annotations

from collections.abc import Sequence

from core.records import Lesson

__all__ = ["about_kind", "about_taken_back", "lessons_of"]


def about_kind(kind: str) -> str:
    """The beginning of what all of a kind came to."""
    return f"improvements of the kind {kind}:"


def about_taken_back(kind: str) -> str:
    """The beginning of what was taken back."""
    return f"{kind} in "


def lessons_of(kind: str, lessons: Sequence[Lesson]) -> list[str]:
    """What was learned of the improvements of one kind, oldest first."""
    return [one.text for one in lessons if one.text.startswith((about_kind(kind), about_taken_back(kind)))]
