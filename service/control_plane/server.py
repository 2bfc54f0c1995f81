"""One process that serves a control plane, from its state folder to its end."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from agents.training.queue import TrainingQueue
from agents.training.works import Works
from core.errors import UnavailableError
from memory.state_folder import StateFolder
from service.control_plane.app import create_app

__all__ = ["Address", "Plan", "serve"]

STOP_S = 2
"""What a request that is being answered may still take when the server stops."""


@dataclass(frozen=True)
class Address:
    host: str
    port: int

    @property
    def loopback(self) -> bool:
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def url(self) -> str:
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


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


class Server(uvicorn.Server):
    """Says when it answers, and leaves signals to the loop: uvicorn raises them again, before the queue is closed."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(plan: Plan, ready: Callable[[Address], None]) -> int:
    """Serve until SIGINT or SIGTERM; answers the signal's number.  `ready` is told the address once it answers.

    Raises BusyError when another process serves the same folder, UnavailableError when the address cannot be taken.
    """
    folder = StateFolder(plan.home, experiments=plan.experiments)
    with folder.open_ledger(check=True) as ledger, _listen(plan.address) as listener:
        address = Address(plan.address.host, listener.getsockname()[1])
        queue = TrainingQueue(
            ledger, folder.experiments, parallel=plan.parallel, works=plan.works, namespace="control-plane"
        )
        async with contextlib.AsyncExitStack() as stack:
            await queue.open()
            stack.push_async_callback(queue.close, cancel=plan.cancel_on_exit)
            app = create_app(queue, token=plan.token, loopback_only=address.loopback)
            config = uvicorn.Config(
                app, log_config=None, access_log=False, timeout_graceful_shutdown=STOP_S, server_header=False
            )
            server = Server(config, lambda: ready(address))
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


def _listen(address: Address) -> socket.socket:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)  # without its protocol asyncio leaves Nagle's delay on: 40 ms
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(where)
            listener.listen(128)
        except BaseException:
            listener.close()
            raise
    except (OSError, OverflowError) as error:
        raise UnavailableError(
            f"cannot listen on {address.host}:{address.port}: {getattr(error, 'strerror', None) or error}",
            where="--host, --port",
            hint="choose another --port; 0 takes any free one",
        ) from error
    return listener
