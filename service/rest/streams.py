"""Live events: one server-sent message an event, of all campaigns or of one, from any place on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from service.http.problems import problems
from service.operations.desk import Desk
from service.operations.ids import CampaignId
from service.operations.tail import Tail
from service.rest.routes import ALWAYS, known_query_only

__all__ = ["add_streams"]

PATH = "/api/events"
MOST_STREAMS = 256
"""At once.  One costs a socket and some kilobytes, and each new event a write to each."""
HEARTBEAT_S = 15.0
DESCRIPTION = (
    "One event a message: `id` is its number in the ledger, `event` its type, `data` its JSON. "
    "A comment comes after each silence."
)

CONTENT = {"text/event-stream": {"schema": {"type": "string"}}}

Campaign = Annotated[CampaignId | None, Query(description="only of this campaign")]
Place = Annotated[int | None, Header(alias="Last-Event-ID", ge=0, le=2**62, description="go on after this event")]
After = Annotated[
    int | None, Query(ge=0, le=2**62, description="the same, for the first time; 0: from the first; left out: from now")
]


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
            raise HTTPException(429, f"{MOST_STREAMS} streams of events are open: close one, or ask later")

    async def messages(wanted: int | None, campaign: str | None) -> AsyncIterator[bytes]:
        mark = object()
        open_streams.add(mark)
        try:
            newest = await to_thread.run_sync(lent.ledger.last_seq)
            # a place that this ledger has not come to is that of another one: nothing would come for a long time
            place = newest if wanted is None else min(wanted, newest)
            yield f": after {place}\n\n".encode()
            async for lines in tail.follow(place, campaign, heartbeat_s=HEARTBEAT_S):
                yield b"".join(line.message for line in lines) or b": nothing new\n\n"
        finally:
            open_streams.discard(mark)

    @app.get(
        PATH,
        tags=["events"],
        operation_id="events_stream",
        summary="Every event as it happens, of campaigns that any process runs",
        dependencies=[security, Depends(permitted)],
        response_class=StreamingResponse,
        responses={200: {"description": DESCRIPTION, "content": CONTENT}, **problems(*ALWAYS, 404, 422, 429)},
    )
    async def stream(campaign: Campaign = None, after: After = None, last_event_id: Place = None) -> StreamingResponse:
        place = after if last_event_id is None else last_event_id
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(messages(place, campaign), media_type="text/event-stream", headers=headers)
