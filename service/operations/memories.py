"""Searching what was remembered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from service.operations.desk import Desk
from service.operations.ids import CampaignId, Text
from service.operations.operation import Taken, Told

__all__ = ["Collection", "Found", "Search", "search"]

Collection = Literal["trajectories", "lessons", "guidance", "comments", "outcomes", "training"]


class Search(Taken):
    """What is most like a text, the most like first."""

    text: Text
    k: Annotated[int, Field(ge=1, le=100)] = 5
    collection: Collection | None = None
    campaign: CampaignId | None = None


class MemoryTold(Told):
    """`similarity` is the cosine between its text and the question, in −1 … 1."""

    id: str
    kind: str
    text: str
    similarity: float
    campaign_id: str
    proposal_id: str | None
    score: float | None
    objective: str
    config: dict[str, Any]


class Found(Told):
    text: str
    memories: list[MemoryTold]
    notes: list[str] = Field(description="what is wrong with the index; the answer holds all the same")


def search(taken: Search, desk: Desk) -> Found:
    recall = desk.recall.get()
    found = recall.search(taken.text, taken.k, collection=taken.collection, campaign_id=taken.campaign)
    told = [memory.model_dump(mode="json", exclude={"version"}) for memory in found]
    return Found.model_validate({"text": taken.text, "memories": told, "notes": list(recall.notes)})
