"""Live events: one server-sent message an event, of all campaigns or of one, from any place on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from core.errors import UnavailableError
from service.http.problems import problems
from service.operations.desk import Desk
from service.operations.ids import CampaignId
from service.operations.tail import Tail
from service.rest.routes import ALWAYS, known_query_only

__all__ = ["TooManyStreamsError", "add_streams"]

PATH = "/api/events"
MOST_STREAMS = 256
"""At once.  One costs a socket and some kilobytes, and each new event a write to each."""
HEARTBEAT_S = 15.0
DESCRIPTION = (
    "One event a message: `id` is its number in the ledger, `event` its type, `data` its JSON. "
    "A comment comes after each silence."
)

Campaign = Annotated[CampaignId | None, Query(description="only of this campaign")]
Place = Annotated[int | None, Header(alias="Last-Event-ID", ge=0, le=2**62, description="go on after this event")]
After = Annotated[
    int | None, Query(ge=0, le=2**62, description="the same, for the first time; 0: from the first; left out: from now")
]


class TooManyStreamsError(UnavailableError):
    """As many streams are open as this process takes."""


def add_streams(app: FastAPI, desk: Desk, tail: Tail, security: Any) -> None:
    """Add the stream of events to the app."""
    lent = desk.asked_by(replace(desk.asker, route=f"GET {PATH}"))
    open_streams: set[object] = set()

    async def permitted(request: Request, campaign: Campaign = None) -> None:
        """Asked before the stream begins: afterwards every error comes too late."""
        known_query_only(request, {"campaign", "after"})
        await to_thread.run_sync(lent.gate.look, lent.context())
        if campaign is not None:
            await to_thread.run_sync(lent.ledger.campaign, campaign)
        if len(open_streams) >= MOST_STREAMS:
            raise TooManyStreamsError(f"{MOST_STREAMS} streams of events are open", hint="close one, or ask later")

    @app.get(
        PATH,
        tags=["events"],
        operation_id="events_stream",
        summary="Every event as it happens, of campaigns that any process runs",
        dependencies=[security, Depends(permitted)],
        response_class=EventSourceResponse,
        responses={200: {"description": DESCRIPTION}, **problems(*ALWAYS, 404, 422, 429)},
    )
    async def stream(
        campaign: Campaign = None, after: After = None, last_event_id: Place = None
    ) -> AsyncIterator[ServerSentEvent]:
        place = after if last_event_id is None else last_event_id
        mark = object()
        open_streams.add(mark)
        try:
            yield ServerSentEvent(comment=f"after {tail.last if place is None else place}")
            async for line in tail.follow(place, campaign, heartbeat_s=HEARTBEAT_S):
                if line is None:
                    yield ServerSentEvent(comment="nothing new")
                else:
                    yield ServerSentEvent(id=str(line.seq), event=line.type, raw_data=line.text)
        finally:
            open_streams.discard(mark)
