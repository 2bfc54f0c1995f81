"""What the stand-in servers share: a call as they saw it, faults, and a server that can be killed in the middle."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from .schema_answers import answer_for

__all__ = ["Answer", "Asked", "Fault", "Server", "Wire"]


@dataclass(frozen=True)
class Asked:
    """One chat call.  `schema` is that of the answer, empty for free text; `body` is the request as it came."""

    number: int
    model: str
    messages: list[dict[str, Any]]
    schema: dict[str, Any]
    body: dict[str, Any] = field(repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def system(self) -> str:
        return "\n".join(str(one["content"]) for one in self.messages if one["role"] == "system")

    @property
    def user(self) -> str:
        """The last message of the user."""
        return next((str(one["content"]) for one in reversed(self.messages) if one["role"] == "user"), "")

    def minimal(self, decide: Callable[[str, dict[str, Any]], Any] | None = None, **settings: Any) -> str:
        """The smallest JSON text that the schema allows; `decide(field, schema)` may give the value of any field."""
        return json.dumps(answer_for(self.schema, decide, **settings))


Answer = Callable[[Asked], "str | dict[str, Any] | Fault | None"]
"""What the model says: text, an object, a fault of the server, or None for the smallest valid answer."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer.

    - status: answer `status` with `body` and `headers`
    - hang: never a byte
    - drip: a byte every `pause_s`
    - cut: break the connection after `after` pieces; half: stop politely, without the closing piece
    - endless: pieces of text without end
    - flood: `size` bytes in one line
    - garbage: `body`, with status 200
    - refuse_format: 400 when the request asks for a form of the answer, a good answer otherwise
    - error_in_stream: an error object after `after` pieces
    """

    kind: Literal[
        "status", "hang", "drip", "cut", "half", "endless", "flood", "garbage", "refuse_format", "error_in_stream"
    ]
    status: int = 500
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    after: int = 2
    pause_s: float = 1.0
    size: int = 200 * 1024 * 1024


class Server:
    """A stand-in in this process.  Programmable while it runs: `answer`, `faults` (used up one a chat), `latency_s`."""

    def __init__(self, wire: type[Wire], answer: Answer | None, *, models: tuple[str, ...], latency_s: float, port: int,
                 key: str, context_length: int) -> None:  # fmt: skip
        self.answer = answer or (lambda asked: None)
        self.models = models
        self.latency_s = latency_s
        self.key = key
        self.context_length = context_length
        self.faults: list[Fault] = []
        self.calls: list[Asked] = []
        self.sent_bytes = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self._die_after: int | None = None
        self._connections: set[socket.socket] = set()
        server = self

        class Bound(wire):  # type: ignore[valid-type, misc]
            stand_in = server

        class Listening(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that went away is no error."""

        self._http = Listening(("127.0.0.1", port), Bound)
        self.port = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def die_after(self, calls: int) -> None:
        """Die in the middle of the answer to the chat after `calls` more, counted from now."""
        with self.lock:
            self._die_after = len(self.calls) + calls

    def dying(self, asked: Asked) -> bool:
        return self._die_after is not None and asked.number > self._die_after

    def die(self) -> None:
        """As a killed process would: nobody listens, and every connection is reset."""
        if self.stopped.is_set():
            return
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._http.socket.close()
        threading.Thread(target=self._http.shutdown, daemon=True).start()
        with self.lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        self.die()
        self._thread.join(5)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def connected(self, connection: socket.socket) -> None:
        with self.lock:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self.lock:
            self._connections.discard(connection)

    def note(self, model: str, messages: list[dict[str, Any]], schema: dict[str, Any], body: dict[str, Any],
             headers: dict[str, str]) -> tuple[Asked, Fault | None]:  # fmt: skip
        """Count a chat, and take the fault that is due."""
        with self.lock:
            asked = Asked(len(self.calls) + 1, model, messages, schema, body, headers)
            self.calls.append(asked)
            return asked, self.faults.pop(0) if self.faults else None

    @contextlib.contextmanager
    def flying(self) -> Iterator[None]:
        with self.lock:
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            yield
        finally:
            with self.lock:
                self.in_flight -= 1


class Wire(http.server.BaseHTTPRequestHandler):
    """HTTP as the protocols above need it: JSON in, JSON or a chunked stream out."""

    stand_in: Server
    protocol_version = "HTTP/1.1"
    content_type = "application/x-ndjson"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.stand_in.connected(self.connection)

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        self.stand_in.closed(self.connection)

    def log_message(self, *_: Any) -> None:
        """The output belongs to the tests."""

    def read_json(self) -> dict[str, Any]:
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        told = json.loads(data or b"{}")
        return told if isinstance(told, dict) else {}

    def send_json(self, told: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_text(json.dumps(told), status, {"Content-Type": "application/json", **(headers or {})})

    def send_text(self, text: str, status: int = 200, headers: dict[str, str] | None = None) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", self.content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send_piece(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.stand_in.sent_bytes += len(data)

    def end_stream(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def break_off(self) -> None:
        """Reset the connection, as a killed server does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    # ------------------------------------------------------------- one answer

    def chat(self, asked: Asked, fault: Fault | None, *, stream: bool) -> None:
        """Answer a chat, well or with its fault."""
        with self.stand_in.flying():
            if self.stand_in.latency_s:
                self.stand_in.stopped.wait(self.stand_in.latency_s)
            told = self.stand_in.answer(asked)
            if isinstance(told, Fault):
                fault, told = fault or told, None
            if told is None:
                told = asked.minimal() if asked.schema else "yes"
            text = told if isinstance(told, str) else json.dumps(told)
            try:
                if self.stand_in.dying(asked):
                    self._go_wrong(Fault("cut", after=1), asked, text)
                    self.stand_in.die()
                elif fault is not None and not (fault.kind == "refuse_format" and not asked.schema):
                    self._go_wrong(fault, asked, text)
                elif stream:
                    self.begin_stream()
                    for piece in self.pieces(asked, text):
                        self.send_piece(piece)
                    self.end_stream()
                else:
                    self.send_json(self.whole(asked, text))
            except OSError:  # the client went away, which a test may want
                self.close_connection = True

    def _go_wrong(self, fault: Fault, asked: Asked, text: str) -> None:
        pieces = list(self.pieces(asked, text))
        if fault.kind == "status":
            self.send_text(fault.body or self.error_body("it went wrong"), fault.status, fault.headers)
        elif fault.kind == "refuse_format":
            self.send_text(self.error_body("invalid JSON schema in format"), 400, {"Content-Type": "application/json"})
        elif fault.kind == "garbage":
            self.send_text(fault.body, 200, {"Content-Type": self.content_type})
        elif fault.kind == "hang":
            self.stand_in.stopped.wait(60)
            self.break_off()
        else:
            self.begin_stream()
            self._stream_wrong(fault, asked, pieces)

    def _stream_wrong(self, fault: Fault, asked: Asked, pieces: list[bytes]) -> None:
        if fault.kind == "drip":
            for byte in b"".join(pieces):
                if self.stand_in.stopped.wait(fault.pause_s):
                    break
                self.send_piece(bytes([byte]))
            self.end_stream()
        elif fault.kind in ("cut", "half", "error_in_stream"):
            for piece in pieces[: min(fault.after, len(pieces) - 1)]:
                self.send_piece(piece)
            if fault.kind == "cut":
                time.sleep(0.02)  # a reset overtakes what was sent
                self.break_off()
                return
            if fault.kind == "error_in_stream":
                self.send_piece(self.framed(self.error_body("the model runner has stopped")))
            self.end_stream()
        elif fault.kind == "endless":
            while not self.stand_in.stopped.is_set():
                self.send_piece(pieces[0])
        elif fault.kind == "flood":
            block = b"x" * (1024 * 1024)
            for _ in range(fault.size // len(block)):
                if self.stand_in.stopped.is_set():
                    break
                self.send_piece(block)
            self.end_stream()

    # ------------------------------------------- what each protocol says its way

    def pieces(self, asked: Asked, text: str) -> Iterator[bytes]:
        raise NotImplementedError

    def whole(self, asked: Asked, text: str) -> dict[str, Any]:
        raise NotImplementedError

    def error_body(self, text: str) -> str:
        raise NotImplementedError

    def framed(self, text: str) -> bytes:
        return text.encode() + b"\n"
