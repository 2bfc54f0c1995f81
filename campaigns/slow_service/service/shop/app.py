"""The shop's routes.  Every answer is told to the recorder, whatever it was."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shop import work
from shop.cards import Cards
from shop.database import CUSTOMERS, Database
from shop.telemetry import Recorder, watch_functions

__all__ = ["Version", "create_app"]

Version = Callable[[], AbstractContextManager[Any]]
"""The `work` that one request uses, to its end."""
Volumes = Annotated[str, Query(pattern=r"^\d{1,4}(,\d{1,4}){0,19}$")]
"""The lines of a basket, such as `120,560`."""


def create_app(database: Database, recorder: Recorder, version: Version = lambda: nullcontext(work)) -> FastAPI:
    """The service over one database.  `version` gives each request its code; default: that of this process."""
    app = FastAPI(title="shop")
    buyers = database.buyers()
    cards = Cards(lambda hit: recorder.cache("cards", hit))
    with version() as first:
        zones = tuple(first.quotes.ZONES)

    @app.get("/health")
    def health() -> dict[str, str]:
        database.rows("SELECT 1")
        return {"status": "ok"}

    @app.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> str:
        return recorder.metrics()

    @app.get("/quote")
    def quote(volumes: Volumes, zone: str = "home") -> dict[str, Any]:
        if zone not in zones:
            raise HTTPException(422, f"unknown zone {zone!r}")
        with version() as live:
            _watch(live, recorder)
            return {"cents": live.quotes.basket_quote([int(word) for word in volumes.split(",")], zone)}

    @app.get("/customers/{customer}/orders")
    def customer_orders(customer: int) -> dict[str, Any]:
        if not 1 <= customer <= CUSTOMERS:
            raise HTTPException(404, "no such customer")
        with version() as live:
            _watch(live, recorder)
            return {"orders": live.orders.customer_orders(database, customer)}

    @app.get("/products/{product}/buyers")
    def product_buyers(product: int) -> dict[str, Any]:
        if product not in buyers:
            raise HTTPException(404, "no such product")
        with version() as live:
            _watch(live, recorder)
            loyal = live.loyalty.loyal_share(buyers[product])
        return {"card": cards.card(product), "entries": len(buyers[product]), "loyal": loyal}

    app.add_middleware(_Telling, recorder=recorder)
    return app


def _watch(live: Any, recorder: Recorder) -> None:
    """Stopwatches around the functions that do the work, once a version."""
    if getattr(live, "recorder", None) is not recorder:
        live.recorder = recorder
        for module, names in live.WATCHED:
            watch_functions(module, names, recorder)


class _Telling:
    """Tells the recorder of each request's route, status and seconds."""

    def __init__(self, app: ASGIApp, recorder: Recorder) -> None:
        self._app = app
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in ("/health", "/metrics"):
            await self._app(scope, receive, send)
            return
        self._recorder.begin()
        begun = time.perf_counter()
        statuses = [500]

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses[0] = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, told)
        except Exception as error:
            self._recorder.error(_route(scope), error)
            raise
        finally:
            self._recorder.request(_route(scope), statuses[0], time.perf_counter() - begun)


def _route(scope: Scope) -> str:
    """The route's pattern, so that customers are not told apart."""
    route = scope.get("route")
    return f"{scope['method']} {getattr(route, 'path', 'unknown')}"
