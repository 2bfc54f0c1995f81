"""One process that serves a control plane, from its state folder to its end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agents.training.queue import TrainingQueue
from agents.training.works import Works
from memory.state_folder import StateFolder
from service.control_plane.app import create_app
from service.http.listening import Address, Server, listen

__all__ = ["Plan", "serve"]


@dataclass(frozen=True)
class Plan:
    """What to serve.  `home` is the control plane's own state folder."""

    home: Path
    address: Address
    token: str
    works: Works
    parallel: int = 3
    cancel_on_exit: bool = False
    experiments: Path | None = None


async def serve(plan: Plan, ready: Callable[[Address], None]) -> int:
    """Serve until SIGINT or SIGTERM; answers the signal's number.  `ready` is told the address once it answers.

    Raises BusyError when another process serves the same folder, UnavailableError when the address cannot be taken.
    """
    folder = StateFolder(plan.home, experiments=plan.experiments)
    with folder.open_ledger(check=True) as ledger, listen(plan.address) as listener:
        address = Address(plan.address.host, listener.getsockname()[1])
        queue = TrainingQueue(
            ledger, folder.experiments, parallel=plan.parallel, works=plan.works, namespace="control-plane"
        )
        async with contextlib.AsyncExitStack() as stack:
            await queue.open()
            stack.push_async_callback(queue.close, cancel=plan.cancel_on_exit)
            app = create_app(queue, token=plan.token, loopback_only=address.loopback)
            server = Server(app, lambda: ready(address))
            told: list[int] = []

            def stop(number: int) -> None:
                told.append(number)
                queue.log.close()  # open event streams end by themselves
                server.should_exit = True
                server.force_exit = len(told) > 1

            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stop, number)
            await server.serve(sockets=[listener])
            return told[0] if told else signal.SIGTERM
