"""Guidance of earlier campaigns: how it is remembered, when it is relevant, and what it may suggest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.campaign import Campaign
from core.guidance import Guidance, Meaning
from core.ids import content_id
from core.records import Memory
from memory.recall import MemoryItem

__all__ = ["SIMILAR", "question", "remembered", "sentence", "softened"]

SIMILAR = 0.6
"""Cosine from which on a sentence said to another campaign is relevant to this one."""


def question(campaign: Campaign) -> str:
    """What recall is asked: the words under which guidance of a campaign like this one is kept."""
    return f"guidance for {campaign.name}, {campaign.objective.goal} {campaign.objective.metric} over " + ", ".join(
        campaign.space
    )


def remembered(guidance: Guidance, campaign: Campaign) -> MemoryItem:
    """A sentence as recall keeps it, with its campaign."""
    return MemoryItem(
        id=content_id("g", guidance.campaign_id, guidance.id, guidance.text),
        collection="guidance",
        campaign_id=guidance.campaign_id,
        text=f"{question(campaign)}: {guidance.text}",
        metadata={"objective": f"{campaign.objective.goal} {campaign.objective.metric}"},
    )


def sentence(memory: Memory, campaign_id: str) -> str | None:
    """The sentence of a memory that is relevant; None for one of this campaign, of comments, or of something else."""
    if memory.campaign_id == campaign_id or not memory.text.startswith("guidance for ") or memory.similarity < SIMILAR:
        return None
    return memory.text.partition(": ")[2] or None


def softened(meanings: Iterable[Meaning]) -> Iterator[Meaning]:
    """What was asked of another campaign as suggestions: bounds are preferred, exclusions advised; focus is its own."""
    for meaning in meanings:
        if meaning.kind == "bound":
            yield meaning.model_copy(update={"kind": "preference", "hard": False})
        elif meaning.kind in ("preference", "exclusion"):
            yield meaning.model_copy(update={"hard": False})
