"""The event stream of a campaign, page by page.  A door that can stream follows it live with `Tail`."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from service.operations.desk import Desk
from service.operations.ids import CampaignId, Number, PagedByNumber
from service.operations.operation import Told
from service.operations.pages import whole_number

__all__ = ["EventPage", "EventsOf", "events"]


class EventsOf(PagedByNumber):
    """Everything that happened in a campaign, in order; `after` is the `seq` of an event."""

    campaign: CampaignId
    cycle: Number | None = None


class EventPage(Told):
    campaign: str
    events: list[dict[str, Any]] = Field(
        description="each with `seq`, `at` (UTC seconds), `type`, `cycle`, and its own"
    )
    next: str | None = None


def events(taken: EventsOf, desk: Desk) -> EventPage:
    stored = desk.ledger.campaign(taken.campaign)
    after = whole_number(taken.after)
    found = list(desk.ledger.events(stored.id, after=after, cycle=taken.cycle, limit=taken.limit + 1))
    told = [event.model_dump(mode="json", exclude={"version"}) for event in found[: taken.limit]]
    following = str(found[taken.limit - 1].seq) if len(found) > taken.limit else None
    return EventPage(campaign=stored.id, events=told, next=following)
