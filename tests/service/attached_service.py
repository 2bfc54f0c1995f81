"""A small service that was started by somebody else: `attached_service.py RELEASES TELEMETRY` prints its port."""

import itertools
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from reloader import Reloader

live = Reloader(sys.argv[1], "prices").start(poll_s=0)
telemetry = Path(sys.argv[2]).open("a", buffering=1, encoding="utf-8")  # noqa: SIM115  # to the end of the process
lock, numbers = threading.Lock(), itertools.count()


def tell(**told: object) -> None:
    with lock:
        telemetry.write(json.dumps({"kind": "completion", "at": time.time(), "component": "shop", **told}) + "\n")


class Door(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/price":
            self.price()
        self.send_response(200)
        self.end_headers()

    def price(self) -> None:
        number = next(numbers)
        trace, size, begun = f"r{number}", 20_000 + number % 3, time.perf_counter()
        with live.version(key=trace) as prices:
            prices.price(size)
            took = time.perf_counter() - begun
        tell(function="price", file="prices.py", duration_s=took, arguments=str(size), trace_id=trace)
        took = time.perf_counter() - begun
        tell(function="GET /price", operation="request", duration_s=took, id=trace, revision=prices.__release__[:16])

    def log_message(self, *_: object) -> None:
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
print(server.server_port, flush=True)
server.serve_forever()
