"""The app: every operation of the table as a route, the stream of events, health and metrics."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from anyio import to_thread
from fastapi import Depends, FastAPI, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel
from starlette.routing import Route
from starlette.types import ASGIApp

from service.http.guard import Guard
from service.http.problems import describe_whole, handle_errors, problems
from service.operations.desk import Desk
from service.operations.table import OPERATIONS
from service.operations.tail import Tail
from service.rest.routes import ALWAYS, add_route
from service.rest.streams import add_streams

__all__ = ["Mounted", "create_app"]

OPEN_PATHS = frozenset({"/healthz", "/openapi.json"})
"""Answered without a token: they tell nothing about campaigns."""
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
DESCRIPTION = (
    "Campaigns, decisions, jobs, episodes, memory, feedback and pull requests. Every request passes the policy; what "
    "is refused says why. Errors are problem details (RFC 9457) with `where` and `hint`."
)


@dataclass(frozen=True)
class Mounted:
    """Another app at `path` and below it, behind the same gate; `running()` is entered while the server runs.

    Whoever is let in here is `desk.asker`, by a route of its own: `desk.asked_by(replace(desk.asker, route=…))`.
    """

    path: str
    app: ASGIApp
    running: Callable[[], AbstractAsyncContextManager[Any]]


class Health(BaseModel):
    status: Literal["ok"] = "ok"


def create_app(
    desk: Desk, tail: Tail, *, token: str, loopback_only: bool = True, mounted: Sequence[Mounted] = ()
) -> FastAPI:
    """The app over an open desk.  Every path but /healthz and /openapi.json wants the token, mounted apps' too.

    `desk.asker` is who holds the token; `tail` is closed by whoever made it, which ends the streams.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for one in mounted:
                await stack.enter_async_context(one.running())
            yield

    bearer = HTTPBearer(auto_error=False, description="the token that `serve` printed when it first started")
    app = FastAPI(
        title="Ratchet",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses=problems(421),
    )
    handle_errors(app)
    security = Depends(bearer)
    for operation in OPERATIONS:
        add_route(app, operation, desk, security)
    add_streams(app, desk, tail, security)

    @app.get("/healthz", tags=["health"], operation_id="health", summary="Whether it works; needs no token")
    async def health() -> Health:
        return Health()

    if importlib.util.find_spec("service.exports") is not None:
        _add_metrics(app, desk, security)
    for one in mounted:
        # a mount alone would redirect from here
        app.router.routes.append(Route(one.path, one.app, include_in_schema=False))
        app.mount(one.path, one.app)
    app.add_middleware(
        Guard, token=token, loopback_only=loopback_only, open_paths=OPEN_PATHS, variable="RATCHET_TOKEN", name="server"
    )
    describe_whole(app)
    return app


def _add_metrics(app: FastAPI, desk: Desk, security: Any) -> None:
    prometheus_text = importlib.import_module("service.exports.prometheus").prometheus_text
    lent = desk.asked_by(replace(desk.asker, route="GET /metrics"))

    def text() -> str:
        lent.gate.look(lent.context())
        told: str = prometheus_text(lent.ledger)
        return told

    @app.get(
        "/metrics",
        tags=["health"],
        operation_id="metrics",
        summary="Figures of all campaigns for Prometheus",
        dependencies=[security],
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **problems(*ALWAYS)},
    )
    async def metrics() -> Response:
        return Response(await to_thread.run_sync(text), media_type=METRICS_TYPE)
