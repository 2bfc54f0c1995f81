"""One process that answers over HTTP: its address, and a server that leaves signals to whoever runs it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from core.errors import UnavailableError, UsageError
from service.elsewhere import is_loopback

__all__ = ["STOP_S", "Address", "Server", "listen"]

STOP_S = 2
"""What a request that is being answered may still take when the server stops."""


@dataclass(frozen=True)
class Address:
    host: str
    port: int

    @property
    def loopback(self) -> bool:
        return is_loopback(self.host)

    @property
    def url(self) -> str:
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


class Server(uvicorn.Server):
    """Says when it answers, and leaves signals to the loop: uvicorn raises them again, before the queue is closed."""

    def __init__(self, app: ASGIApp, ready: Callable[[], None], **options: Any) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=STOP_S,
            server_header=False,
            **options,
        )
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(address: Address) -> socket.socket:
    """A listening socket.  Raises UnavailableError when the address cannot be taken, UsageError for what is no port."""
    if not 0 <= address.port < 2**16:  # the system would take the rest of it by 65,536
        raise UsageError(f"{address.port} is no port", where="--port", hint="1 to 65535; 0 takes any free one")
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
