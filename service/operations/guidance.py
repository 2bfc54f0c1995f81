"""Sentences that steer a campaign: given, taken back, and what has become of each."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from core.guidance import Door, GuidanceStatus
from memory.guidance import GuidanceBook
from service.operations.desk import Desk
from service.operations.ids import CampaignId, OfCampaign, Paged
from service.operations.operation import Told
from service.operations.pages import page

__all__ = ["Dropped", "Given", "GuidanceOf", "Guide", "ReceiptPage", "Receipts", "drop", "give", "receipts"]


class Guide(OfCampaign):
    """A sentence for the council, such as `keep learning_rate below 0.01`; `urgent`: for the next node of a cycle."""

    text: Annotated[str, Field(min_length=1, max_length=2000)]
    urgent: bool = False


class Given(Told):
    """`id` names it from now on; what has become of it is told by the receipts."""

    campaign: str
    id: str
    text: str
    urgent: bool


def give(taken: Guide, desk: Desk) -> Given:
    book = GuidanceBook(desk.ledger)
    said = {one.guidance.id: one.guidance for one in book.receipts(taken.campaign)} if desk.noted else {}
    kept = said.get(desk.noted) or book.give(  # the very one that was kept before a crash
        taken.campaign, taken.text, author=desk.asker.actor or "human", door=_door(desk), urgent=taken.urgent
    )
    desk.keep(kept.id)
    return Given(campaign=taken.campaign, id=kept.id, text=kept.text, urgent=kept.urgent)


class ReceiptTold(Told):
    """What has become of a guidance: queued, delivered, used, unused or dropped, and what it changed."""

    id: str
    text: str
    author: str
    status: GuidanceStatus
    urgent: bool
    node: str
    cycle: int
    meanings: list[dict[str, Any]]
    unread: list[dict[str, Any]]
    proposals: list[str]
    changes: list[dict[str, Any]]
    notes: list[str]
    payoff: dict[str, Any] | None


class ReceiptPage(Told):
    campaign: str
    guidance: list[ReceiptTold]
    next: str | None = None


class Receipts(Paged):
    """Everything that was said to a campaign, the oldest first."""

    campaign: CampaignId


def receipts(taken: Receipts, desk: Desk) -> ReceiptPage:
    told = GuidanceBook(desk.ledger).receipts(taken.campaign)
    chosen, following = page(told, lambda one: one.guidance.id, taken.limit, taken.after)
    rows = []
    for one in chosen:
        whole = one.model_dump(mode="json", exclude={"version", "guidance"})
        said = one.guidance.model_dump(mode="json", include={"id", "text", "author", "urgent", "meanings", "unread"})
        rows.append({**whole, **said})
    return ReceiptPage.model_validate({"campaign": taken.campaign, "guidance": rows, "next": following})


class GuidanceOf(OfCampaign):
    guidance: Annotated[str, Field(pattern=r"^g[0-9]{1,9}$", description="such as g7")]


class Dropped(Told):
    campaign: str
    id: str


def drop(taken: GuidanceOf, desk: Desk) -> Dropped:
    """From the next node on it has no effect; dropping it again changes nothing."""
    author = desk.asker.actor or "human"
    GuidanceBook(desk.ledger).drop(taken.campaign, taken.guidance, author=author, door=_door(desk))
    return Dropped(campaign=taken.campaign, id=taken.guidance)


def _door(desk: Desk) -> Door:
    """The door that the asker came by."""
    route = desk.asker.route
    return "cli" if route == "cli" else "mcp" if route.startswith("mcp") else "rest"
