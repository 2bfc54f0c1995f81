"""The client: what it sends, where it follows, and what it says of the certificate."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigError, GitHubAnswerError, GitHubError, GitHubRefusedError, GitHubSilentError
from runtime.github.client import GitHub
from runtime.github.patience import Patience

TOKEN = "a-token-that-is-none"


@contextmanager
def serving(
    answers: dict[str, tuple[int, dict[str, str], bytes]], tls: Path | None = None
) -> Iterator[tuple[str, list[Any]]]:
    """Its URL, and the (method, path, Authorization) of what it was asked."""
    asked: list[Any] = []

    class Talk(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.command, self.path, self.headers.get("authorization")))
            self.rfile.read(int(self.headers.get("content-length") or 0))
            status, headers, body = answers.get(self.path, (404, {}, b"{}"))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """The output belongs to the tests."""

    class Listening(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that does not trust the certificate is no error."""

    server = Listening(("127.0.0.1", 0), Talk)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http{'s' * (tls is not None)}://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def got(url: str, path: str, method: str = "get", **more: Any) -> Any:
    async def ask() -> Any:
        async with GitHub(url, TOKEN, patience=Patience(tries=1), answer_s=5, **more) as github:
            return await (github.get(path) if method == "get" else github.post(path, {}))

    return asyncio.run(ask())


def test_a_renamed_repository_is_followed_on_the_same_server() -> None:
    moved = {"/repos/old": (301, {"Location": "/repositories/7"}, b""), "/repositories/7": (200, {}, b'{"id": 7}')}
    with serving(moved) as (url, asked):
        assert got(url, "/repos/old") == {"id": 7}
        assert [path for _, path, _ in asked] == ["/repos/old", "/repositories/7"]
        assert {token for *_, token in asked} == {f"Bearer {TOKEN}"}
        with pytest.raises(GitHubAnswerError, match="POST with 301"):  # it would become a GET
            got(url, "/repos/old", "post")


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.2:1/x",
        "https://127.0.0.1/x",
        "//evil.example/x",
        "http://127.0.0.1:1@evil.example/x",
        "http://[",
    ],
)
def test_another_server_gets_nothing(location: str) -> None:
    with serving({"/x": (307, {"Location": location}, b"")}) as (url, asked), pytest.raises(GitHubError):
        got(url, "/x")
    assert len(asked) == 1


def test_a_circle_ends() -> None:
    with (
        serving({"/x": (302, {"Location": "/x"}, b"")}) as (url, asked),
        pytest.raises(GitHubAnswerError, match="circles"),
    ):
        got(url, "/x")
    assert len(asked) == 4


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff"])
def test_what_is_no_json_is_not_believed(body: bytes) -> None:
    with serving({"/x": (200, {}, body)}) as (url, _), pytest.raises(GitHubAnswerError, match="not JSON"):
        got(url, "/x")


def test_a_long_answer_is_cut() -> None:
    with serving({"/x": (200, {}, b" " * 4096)}) as (url, _), pytest.raises(GitHubAnswerError, match="more than 1,000"):
        got(url, "/x", limit_bytes=1000)


def test_a_refusal_is_told_short_and_without_secrets() -> None:
    body = (
        b'{"message": "' + b"no " * 1000 + b'", "errors": ["token=abcdef123456", {"field": "head", "code": "invalid"}]}'
    )
    with serving({"/x": (422, {}, body)}) as (url, _), pytest.raises(GitHubRefusedError) as caught:
        got(url, "/x")
    assert "abcdef123456" not in str(caught.value)
    assert len(caught.value.what) < 700
    assert caught.value.faults[1] == ("", "head", "invalid", "")


def test_nobody_there_is_silence() -> None:
    with pytest.raises(GitHubSilentError, match="does not answer"):
        got("http://127.0.0.1:9", "/x")


def test_a_certificate_of_nobody_is_not_trusted(tmp_path: Path) -> None:
    certificate = tmp_path / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    command += [
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(tmp_path / "key"),
        "-out",
        str(tmp_path / "cert"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    certificate.write_text((tmp_path / "key").read_text() + (tmp_path / "cert").read_text())
    with serving({"/x": (200, {}, b"{}")}, certificate) as (url, asked):
        with pytest.raises(GitHubRefusedError, match="certificate"):
            got(url, "/x")
        assert asked == []


@pytest.mark.parametrize("token", ["two words", "line\nend", "ümlaut"])
def test_what_cannot_be_a_token_is_not_sent(token: str) -> None:
    with pytest.raises(ConfigError) as caught:
        GitHub("http://127.0.0.1:9", token)
    assert token not in str(caught.value)
