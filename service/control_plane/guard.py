"""The gate before every route: who may ask, under which name, and how much they may send."""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import ConfigError, StorageError
from service.control_plane.problems import problem

__all__ = ["Guard", "keep_token"]

OPEN_PATHS = frozenset({"/health", "/openapi.json"})
"""Answered without a token: they tell nothing about jobs."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
MIN_TOKEN_CHARACTERS = 16
BODY_LIMIT_BYTES = 1024 * 1024


class Guard:
    """Refuses what has no token (401), or, on loopback, asks under a foreign host name (421: DNS rebinding)."""

    def __init__(self, app: ASGIApp, token: str, loopback_only: bool) -> None:
        self._app = app
        self._token = token.encode()
        self._loopback_only = loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            if self._loopback_only and _host(headers.get(b"host", b"")) not in LOOPBACK:
                answer = problem(421, "this control plane answers under a loopback name only", where="Host")
                await answer(scope, receive, send)
                return
            if scope["path"] not in OPEN_PATHS and not self._known(headers.get(b"authorization", b"")):
                answer = problem(
                    401,
                    "the token is missing or wrong",
                    where="Authorization",
                    hint="send `Authorization: Bearer TOKEN`; clients of ours read CONTROL_PLANE_TOKEN",
                    **{"WWW-Authenticate": "Bearer"},
                )
                await answer(scope, receive, send)
                return
            receive = _bounded(receive)
        await self._app(scope, receive, send)

    def _known(self, authorization: bytes) -> bool:
        scheme, _, token = authorization.partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), self._token)


def _bounded(receive: Receive) -> Receive:
    """`receive` that ends a request whose body is too large; it reads no more of it than the limit."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > BODY_LIMIT_BYTES:
            raise HTTPException(413, f"a request has at most {BODY_LIMIT_BYTES:,} bytes")
        return message

    return counted


def _host(value: bytes) -> str:
    """The name in a Host header, without its port."""
    text = value.decode("latin-1").lower()
    return text.partition("]")[0] + "]" if text.startswith("[") else text.partition(":")[0]


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
