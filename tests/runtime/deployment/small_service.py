"""A small HTTP service with a reloader in it, run as `python small_service.py FOLDER`; prints its port.

Imports nothing of the project: `reloader.py` lies beside it, as one would copy it into a service of one's own.

    GET /answer?tenant=T&key=K&slow=S    what the two modules of the release say, read before and after S seconds
    GET /health                          500 when the release says that it is sick
"""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from reloader import Reloader


def main(folder: str) -> None:
    live = Reloader(folder, "first", load_timeout_s=5).start(poll_s=0.02)

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            with live.version(tenant=query.get("tenant", "default"), key=query.get("key")) as first:
                if url.path == "/health":
                    self.answer(500 if getattr(first, "SICK", False) else 200, {})
                    return
                before = first.NUMBER
                time.sleep(float(query.get("slow", 0)))
                self.answer(200, {"first": before, "second": first.second()})

        def answer(self, status: int, value: object) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
