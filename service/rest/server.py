"""One process that serves a state folder over HTTP, from its start to its signal."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import RatchetError
from core.settings import Settings
from service.http.listening import Address, Server, listen
from service.operations.desk import Asker, Desk, open_desk
from service.operations.tail import Tail
from service.rest.app import Mounted, create_app

__all__ = ["Plan", "serve"]

CONNECTIONS = 1000
"""At once; more are answered 503 at the door."""


FIRST_USED = ("graph.loading", "service.report", "service.standings")
"""Imported before the first request: an import holds up everybody else for as long as it takes."""


@dataclass(frozen=True)
class Plan:
    """What to serve, to whom.  `mounts` make further apps over desk and tail."""

    settings: Settings
    address: Address
    token: str
    asker: Asker
    campaigns: Mapping[str, Path] = field(default_factory=dict)
    mounts: tuple[Callable[[Desk, Tail], Mounted], ...] = ()


async def serve(plan: Plan, ready: Callable[[Address], None]) -> int:
    """Serve until SIGINT or SIGTERM; answers the signal's number.  `ready` is told the address once it answers.

    Raises UnavailableError when the address cannot be taken.  Campaigns that were started go on when this ends.
    """
    told: list[int] = []
    with (
        open_desk(plan.settings, plan.asker, campaigns=plan.campaigns, check=True) as desk,
        listen(plan.address) as listener,
    ):
        address = Address(plan.address.host, listener.getsockname()[1])
        tail = Tail(desk.ledger)
        app = create_app(
            desk,
            tail,
            token=plan.token,
            loopback_only=address.loopback,
            mounted=[make(desk, tail) for make in plan.mounts],
        )
        _warm(desk)
        server = Server(app, lambda: ready(address), limit_concurrency=CONNECTIONS)

        def stop(number: int) -> None:
            told.append(number)
            tail.close()  # open event streams end by themselves
            desk.stopping.set()
            server.should_exit = True
            server.force_exit = len(told) > 1

        # what was loaded stays: looking through it again and again for garbage would stop all answers for a while
        gc.collect()
        gc.freeze()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop, number)
        await server.serve(sockets=[listener])
    return told[0] if told else signal.SIGTERM


def _warm(desk: Desk) -> None:
    for name in FIRST_USED:
        importlib.import_module(name)
    with contextlib.suppress(RatchetError):  # without its model there is no search, and all else works
        desk.recall.get()
