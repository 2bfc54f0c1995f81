"""A server that stops answers what it has no time for, and says so."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from rest_process import HANG_S, TOKEN, problem
from starlette.types import Receive, Scope, Send

from service.http.guard import Guard
from service.http.listening import Address, Server, listen


def test_a_request_that_takes_too_long_is_told_that_the_server_stops(capfd: pytest.CaptureFixture[str]) -> None:
    async def stopped_amid() -> httpx.Response:
        asked = asyncio.Event()

        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                asked.set()
                await asyncio.Event().wait()

        ready = asyncio.Event()
        app: Any = Guard(slow, TOKEN, True, frozenset(), "RATCHET_TOKEN", "server")
        with listen(Address("127.0.0.1", 0)) as listener:
            server = Server(app, ready.set, lifespan="off")
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            await ready.wait()
            headers = {"Authorization": f"Bearer {TOKEN}"}
            async with httpx.AsyncClient(headers=headers, timeout=HANG_S, trust_env=False) as client:
                request = asyncio.create_task(client.get(f"http://127.0.0.1:{listener.getsockname()[1]}/"))
                await asked.wait()
                server.should_exit = True
                answer = await request
            await serving
            return answer

    told = problem(asyncio.run(stopped_amid()), 503)
    assert "stops" in told["detail"]
    assert "Idempotency-Key" in told["hint"]
    assert "Traceback" not in capfd.readouterr().err
