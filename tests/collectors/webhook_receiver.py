"""A receiver of webhooks on loopback: keeps what it got, and answers as it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DEADLINE_S = 60
"""Against hangs only."""

Script = Callable[[int], tuple[int, dict[str, str]]]
"""The how-manieth request, from 1 → status and headers of the answer."""


def accept(_: int) -> tuple[int, dict[str, str]]:
    return 200, {}


@dataclass
class Got:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    port: int = 0
    script: Script = accept
    got: list[Got] = field(default_factory=list)
    accepted: list[Got] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=hidden"

    def take(self, got: Got) -> tuple[int, dict[str, str]]:
        with self._changed:
            self.got.append(got)
            status, headers = self.script(len(self.got))
            if 200 <= status < 300:
                self.accepted.append(got)
            self._changed.notify_all()
        return status, headers

    def wait_for(self, enough: Callable[[Receiver], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: enough(self), DEADLINE_S), [g.body for g in self.got]


@contextmanager
def webhook_receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # named by http.server
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more = receiver.take(Got(self.path, headers, body))
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(DEADLINE_S)
