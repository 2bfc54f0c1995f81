"""Recall in a family of forks: the shared past is each one's own, and what became of the others is not there.

Without this a fork would be told by memory what came next in the campaign that it was forked from, and that campaign,
when it goes on, what its forks have tried.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from core.records import Memory
from memory.history import History

__all__ = ["FamilyRecall", "Searched"]


class Searched(Protocol):
    """What `memory.recall.Recall` offers."""

    def search(
        self,
        text: str,
        k: int = 5,
        *,
        collection: str | None = None,
        campaign_id: str | None = None,
        exclude: Collection[str] = (),
    ) -> list[Memory]: ...

    def remember(self, items: Sequence[Any]) -> int: ...

    def close(self) -> None: ...


class FamilyRecall:
    """`recall` as the campaign of `history` sees it; `others` names the rest of its family as it is now."""

    def __init__(self, recall: Searched, history: History, others: Callable[[], Collection[str]]) -> None:
        self._recall = recall
        self._history = history
        self._others = others

    def search(
        self, text: str, k: int = 5, *, collection: str | None = None, campaign_id: str | None = None
    ) -> list[Memory]:
        """As `Recall.search`; memories of the shared past are told as the campaign's own."""
        own, others = self._history.campaign_id, frozenset(self._others())
        if not others:
            return self._recall.search(text, k, collection=collection, campaign_id=campaign_id)
        named = (own, *sorted(others)) if campaign_id == own else (campaign_id,)
        found = [memory for name in named for memory in self._seen(text, k, collection, name, others)]
        return sorted(found, key=lambda memory: (-memory.similarity, memory.id))[:k]

    def remember(self, items: Sequence[Any]) -> int:
        return self._recall.remember(items)

    def close(self) -> None:
        self._recall.close()

    def _seen(
        self, text: str, k: int, collection: str | None, campaign_id: str | None, others: frozenset[str]
    ) -> list[Memory]:
        hidden: set[str] = set()
        while True:
            found = self._recall.search(text, k, collection=collection, campaign_id=campaign_id, exclude=hidden)
            theirs = {memory.id for memory in found if memory.campaign_id in others and not self._is_ours_too(memory)}
            if not theirs:
                own = self._history.campaign_id
                return [
                    memory.model_copy(update={"campaign_id": own}) if memory.campaign_id in others else memory
                    for memory in found
                ]
            hidden |= theirs

    def _is_ours_too(self, memory: Memory) -> bool:
        history = self._history
        return (
            memory.id in history.trajectories
            or any(memory.id == lesson.id for lesson in history.all_lessons())
            or any(memory.proposal_id in cycle.applied for cycle in history.cycles.values())
        )
