"""The client of GitHub's REST API: every answer is bounded in size and time, and checked before it is believed.

Every request that is sent here may be sent twice: objects of git have the name of their content, and what exists
already is answered as such.  So what fails on the way is repeated, as `Patience` allows.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import time
from collections.abc import Callable, Mapping
from functools import cache
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urljoin, urlsplit

import httpx

from core.errors import ConfigError, GitHubAnswerError, GitHubError, GitHubRefusedError, GitHubSilentError
from core.scrub import scrubbed
from runtime.github.patience import Patience, asked_wait, limit_reached

__all__ = ["ANSWER_LIMIT_BYTES", "API_VERSION", "Client", "GitHub"]

API_VERSION = "2022-11-28"
ANSWER_LIMIT_BYTES = 16 * 1024 * 1024
"""A tree listed recursively is cut by GitHub at 7 MB."""
REDIRECTS = 3
Sent = Mapping[str, Any]


class Client(Protocol):
    """Whoever answers requests: GitHub, or the rehearsal of a dry run."""

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON of the answer; None where there is no such thing (404)."""

    async def post(self, path: str, body: Sent) -> Any:
        """The JSON of the answer to a new thing."""


class GitHub:
    """`token` is sent to `url` and nowhere else.  Use it with `async with`: the time of `patience` begins there.

    `answer_s` bounds one exchange.  Raises GitHubSilentError, GitHubRefusedError or GitHubAnswerError.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        patience: Patience | None = None,
        answer_s: float = 30.0,
        limit_bytes: int = ANSWER_LIMIT_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not token.isascii() or not token.isprintable() or " " in token:
            raise ConfigError(
                "GITHUB_TOKEN holds characters that no token has", where="environment", hint="copy it anew"
            )
        self.url = url.rstrip("/")
        self._patience = patience or Patience()
        self._answer_s = answer_s
        self._limit_bytes = limit_bytes
        self._clock = clock
        self._http = httpx.AsyncClient(
            headers={
                "Accept": "application/vnd.github+json",
                "Accept-Encoding": "identity",
                "Authorization": f"Bearer {token}",
                "User-Agent": "ratchet",
                "X-GitHub-Api-Version": API_VERSION,
            },
            timeout=httpx.Timeout(answer_s, connect=min(10.0, answer_s)),
            follow_redirects=False,
            verify=_trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")),
            # proxies and certificates of the environment: what goes to another machine is encrypted through both
            trust_env=self.url.startswith("https://"),
        )

    async def __aenter__(self) -> Self:
        self._patience.begin()
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self._http.aclose()

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON of the answer; None where there is no such thing (404)."""
        try:
            return await self._asked("GET", path, params=query)
        except GitHubRefusedError as error:
            if error.status == 404:
                return None
            raise

    async def post(self, path: str, body: Sent) -> Any:
        """The JSON of the answer to a new thing."""
        content = json.dumps(body, ensure_ascii=False).encode()
        return await self._asked("POST", path, content=content, headers={"Content-Type": "application/json"})

    # ------------------------------------------------------------------- parts

    async def _asked(self, method: str, path: str, **request: Any) -> Any:
        attempt = 1
        while True:
            try:
                return await self._followed(method, f"{self.url}{path}", **request)
            except GitHubSilentError as error:
                await self._patience.wait(attempt, error)
            attempt += 1

    async def _followed(self, method: str, address: str, **request: Any) -> Any:
        """A repository that was renamed is answered by a redirection, which is followed on the same server only."""
        for _ in range(REDIRECTS + 1):
            status, headers, content = await self._exchange(method, address, **request)
            if status not in (301, 302, 307, 308):
                return self._read(status, headers, content)
            target = _target(address, headers.get("location", ""))
            if _origin(target) != _origin(self.url):
                raise GitHubAnswerError(
                    "GitHub sends us on to another server, which gets neither the token nor the request",
                    where=scrubbed(f"{address} → {urlsplit(target).hostname or 'nowhere'}"),
                    hint="check GITHUB_API_URL: is there a proxy or a login page in between?",
                )
            if method != "GET" and status in (301, 302):
                raise GitHubAnswerError(
                    f"GitHub answers a {method} with {status}", where=address, hint="was the repository renamed?"
                )
            address, request = target, {name: value for name, value in request.items() if name != "params"}
        raise GitHubAnswerError("GitHub sends us round in circles", where=address)

    async def _exchange(self, method: str, address: str, **request: Any) -> tuple[int, Mapping[str, str], bytes]:
        within_s = min(self._answer_s, self._patience.left_s)
        try:
            async with asyncio.timeout(within_s), self._http.stream(method, address, **request) as response:
                if response.headers.get("content-encoding", "identity") not in ("", "identity"):
                    # unpacked, a few kilobytes can be gigabytes; it was asked for plain text
                    raise GitHubAnswerError("an answer is compressed, though that was not asked for", where=address)
                content = bytearray()
                async for chunk in response.aiter_raw():
                    content += chunk
                    if len(content) > self._limit_bytes:
                        raise GitHubAnswerError(f"an answer of more than {self._limit_bytes:,} bytes", where=address)
                return response.status_code, response.headers, bytes(content)
        except TimeoutError as error:
            raise GitHubSilentError(f"GitHub did not answer in {max(0.0, within_s):g} s", where=address) from error
        except httpx.InvalidURL as error:
            raise GitHubAnswerError("GitHub sends us on to what is no URL", where=self.url) from error
        except httpx.HTTPError as error:
            raise self._unreached(error, address) from error

    def _unreached(self, error: httpx.HTTPError, address: str) -> GitHubError:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return GitHubRefusedError(
                    "the certificate of GitHub's server is not trusted, so nothing was sent",
                    status=0,
                    where=self.url,
                    hint="is it an Enterprise server of your own? Set SSL_CERT_FILE to its certificate authority",
                )
            cause = cause.__cause__ or cause.__context__
        what = str(error) or type(error).__name__
        return GitHubSilentError(f"GitHub does not answer: {what}", where=address, hint="check the network and the URL")

    def _read(self, status: int, headers: Mapping[str, str], content: bytes) -> Any:
        if status in (200, 201):
            try:
                return json.loads(content)
            except (ValueError, RecursionError) as error:
                raise GitHubAnswerError(
                    "GitHub's answer is not JSON", where=self.url, hint="is there a proxy or a login page in between?"
                ) from error
        message, faults = _told(content)
        limited = limit_reached(status, headers, message)
        if limited or status >= 500 or (status == 409 and "empty" not in message.lower()):
            raise GitHubSilentError(
                f"GitHub answers {status}: {message}",
                where=self.url,
                hint="its limit of requests is reached: call again later, it goes on where it stopped"
                if limited
                else "",
                retry_after_s=asked_wait(headers, self._clock(), limited=limited),
            )
        raise GitHubRefusedError(
            f"GitHub refuses ({status}): {message}",
            status=status,
            where=self.url,
            hint=_HINTS.get(status, ""),
            faults=faults,
        )


_HINTS = {
    401: "GITHUB_TOKEN is wrong or has expired",
    403: "the token needs the permissions `contents: write` and `pull requests: write` for this repository",
    404: "the repository does not exist, or the token may not see it",
    409: "push a first commit to the repository",
}


def _told(content: bytes) -> tuple[str, tuple[tuple[str, str, str, str], ...]]:
    """Message and faults of a refusal, shortened and without what looks like a secret, whoever wrote it."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        told = {}
    told = told if isinstance(told, dict) else {}
    listed = told.get("errors")
    faults: list[tuple[str, str, str, str]] = []
    for one in listed[:20] if isinstance(listed, list) else []:
        fields = one if isinstance(one, dict) else {"message": one}
        resource, name, code, what = (
            str(fields.get(key) or "")[:300] for key in ("resource", "field", "code", "message")
        )
        faults.append((resource, name, code, what))
    reasons = [what or f"{resource} {name} {code}".strip() for resource, name, code, what in faults]
    text = "; ".join([str(told.get("message") or "no reason given")[:300], *reasons])
    return scrubbed(" ".join(text.split()))[:600], tuple(faults)


@cache
def _trusted(file: str | None, folder: str | None) -> ssl.SSLContext:  # noqa: ARG001  # read there, and kept by them
    """The certificates of this machine's environment; to read them takes longer than a request."""
    return httpx.create_ssl_context(verify=True, trust_env=True)


def _target(address: str, location: str) -> str:
    """Where a redirection leads; nowhere when it is no URL."""
    try:
        return urljoin(address, location)
    except ValueError:
        return ""


def _origin(address: str) -> tuple[str, str, int | None]:
    parts = urlsplit(address)
    try:
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        port = None
    return parts.scheme, parts.hostname or "", port
