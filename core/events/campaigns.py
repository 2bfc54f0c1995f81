"""The beginnings, stops and ends of a campaign."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from core.events.event import Event
from core.forks import ForkPoint

__all__ = [
    "BaseTaken",
    "CampaignFinished",
    "CampaignInterrupted",
    "CampaignResumed",
    "CampaignStarted",
    "ForkedFrom",
]


class CampaignStarted(Event):
    type: Literal["CampaignStarted"] = "CampaignStarted"
    name: str
    kind: str
    seed: int


class ForkedFrom(Event):
    """A campaign was begun from the past of another: its events up to there are those of the parent, copied.

    `root` is the campaign at the beginning of the line; records keep the ids that they had there.
    """

    about = ("root",)
    type: Literal["ForkedFrom"] = "ForkedFrom"
    parent: str
    root: str
    point: ForkPoint
    checkpoint: str = Field(default="", description="the id of LangGraph's checkpoint, where one was named")
    edits: dict[str, Any] = Field(default={}, description="what was changed: `set`, `guidance`, `agenda`, `rulings`")
    by: str = "human"


class BaseTaken(Event):
    """The code of a campaign as it stood when it began; `commit` is git's, with `+` where files differed from it."""

    type: Literal["BaseTaken"] = "BaseTaken"
    digest: str
    commit: str = ""
    files: int
    changeable: tuple[str, ...]


class CampaignResumed(Event):
    about = ("session",)
    type: Literal["CampaignResumed"] = "CampaignResumed"
    session: int = Field(description="the how-manieth process that works on it")


class CampaignInterrupted(Event):
    about = ("session",)
    type: Literal["CampaignInterrupted"] = "CampaignInterrupted"
    session: int
    reason: str


class CampaignFinished(Event):
    about = ("session",)
    type: Literal["CampaignFinished"] = "CampaignFinished"
    session: int
    reason: str
