"""The gate before every route: who may ask, under which name, and how much they may send."""

from __future__ import annotations

import asyncio
import hmac
import os
import secrets
from collections.abc import Set
from pathlib import Path
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import ConfigError, StorageError
from service.http.problems import problem

__all__ = ["BODY_LIMIT_BYTES", "Guard", "keep_token"]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
MIN_TOKEN_CHARACTERS = 16
BODY_LIMIT_BYTES = 1024 * 1024


class Guard:
    """Refuses what has no token (401), or, on loopback, asks under a foreign host name (421: DNS rebinding) or from a
    page of another origin (403).

    `open_paths` are answered without a token; `variable` is the environment's name of it, for the hint.
    """

    def __init__(
        self, app: ASGIApp, token: str, loopback_only: bool, open_paths: Set[str], variable: str, name: str
    ) -> None:
        self._app = app
        self._token = token.encode()
        self._loopback_only = loopback_only
        self._open_paths = open_paths
        self._hint = f"send `Authorization: Bearer TOKEN`; clients of ours read {variable}"
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            host = headers.get(b"host", b"")
            if self._loopback_only and _name(host) not in LOOPBACK:
                answer = problem(421, f"this {self._name} answers under a loopback name only", where="Host")
            elif (origin := headers.get(b"origin")) is not None and not _same(origin, host):
                answer = problem(403, "a page of another origin may not ask here", where="Origin")
            elif scope["path"] not in self._open_paths and not self._known(headers.get(b"authorization", b"")):
                bearer = {"WWW-Authenticate": "Bearer"}
                answer = problem(401, "the token is missing or wrong", where="Authorization", hint=self._hint, **bearer)
            elif _length(headers.get(b"content-length", b"")) > BODY_LIMIT_BYTES:
                answer = problem(413, TOO_LARGE, where="Content-Length", Connection="close")
            else:
                await self._answered(scope, receive, send)
                return
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Also when the server stops before the answer is there: it then cancels what it still works on."""
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, _bounded(receive), noting)
        except asyncio.CancelledError:
            if not begun:
                await problem(503, STOPPING, hint=STOPPING_HINT)(scope, receive, send)

    def _known(self, authorization: bytes) -> bool:
        scheme, _, token = authorization.partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), self._token)


STOPPING = "the server stops, and had no time left for this request"
STOPPING_HINT = "look whether it was carried out; under its Idempotency-Key it can be sent again"
TOO_LARGE = f"a request has at most {BODY_LIMIT_BYTES:,} bytes"


def _bounded(receive: Receive) -> Receive:
    """`receive` that ends a request whose body is too large; it reads no more of it than the limit."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > BODY_LIMIT_BYTES:
            raise HTTPException(413, TOO_LARGE, headers={"Connection": "close"})
        return message

    return counted


def _length(value: bytes) -> int:
    return int(value) if value.isdigit() and len(value) < 20 else BODY_LIMIT_BYTES + 1 if value else 0


def _name(value: bytes) -> str:
    """The name in a Host header, without its port."""
    text = value.decode("latin-1").lower()
    return text.partition("]")[0] + "]" if text.startswith("[") else text.partition(":")[0]


def _same(origin: bytes, host: bytes) -> bool:
    """Whether a page of this origin was served under the name and port that it asks now."""
    try:
        return urlsplit(origin.decode("latin-1")).netloc.lower() == host.decode("latin-1").lower() != ""
    except ValueError:
        return False


def keep_token(path: Path, given: str = "") -> tuple[str, bool]:
    """The token, and whether it is new: `given`, else the one kept in `path` (mode 0600), else a fresh one.

    Raises ConfigError for a token that is too short to be a secret.
    """
    try:
        if not given and path.exists():
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)
            return _checked(path.read_text().strip(), str(path)), False
        token = _checked(given, "--token") if given else secrets.token_urlsafe(32)
        new = path.with_name(f"{path.name}.new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(token + "\n")
        new.replace(path)
    except OSError as error:
        raise StorageError(f"the token cannot be kept: {error.strerror}", where=str(path)) from error
    return token, not given


def _checked(token: str, where: str) -> str:
    if len(token) < MIN_TOKEN_CHARACTERS or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(
            f"a token has at least {MIN_TOKEN_CHARACTERS} printable characters and no space",
            where=where,
            hint="leave it out: one is made",
        )
    return token
