"""One bounded HTTP request: its whole time and its size, whatever the other side sends and how slowly."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from core.errors import UnavailableError

__all__ = ["Reply", "ask"]


@dataclass(frozen=True)
class Reply:
    """`body` is cut at the limit."""

    status: int
    body: bytes


def ask(method: str, url: str, *, timeout_s: float, most_bytes: int, headers: Mapping[str, str] | None = None) -> Reply:
    """The answer; redirects are not followed, and no proxy of the environment is used.

    Raises UnavailableError when there is no whole answer within `timeout_s`; its `hint` is empty, for the caller to say
    what that means.
    """
    answer: list[Reply | str] = []
    # a context for TLS costs 20 ms, and plain HTTP has no use for it
    client = httpx.Client(
        timeout=timeout_s, follow_redirects=False, trust_env=False, headers=headers, verify=url.startswith("https:")
    )
    # httpx bounds each read, so a byte a second would never end: the thread is left behind, and its socket closed
    thread = threading.Thread(target=_ask, args=(client, method, url, most_bytes, answer), daemon=True)
    thread.start()
    thread.join(timeout_s)
    client.close()
    if not answer:
        raise UnavailableError(f"no whole answer within {timeout_s:g} s", where=url)
    if isinstance(answer[0], str):
        raise UnavailableError(answer[0], where=url)
    return answer[0]


def _ask(client: httpx.Client, method: str, url: str, most_bytes: int, answer: list[Reply | str]) -> None:
    try:
        with client.stream(method, url) as response:
            body = b""
            for chunk in response.iter_raw():
                body += chunk
                if len(body) >= most_bytes:
                    break
            answer.append(Reply(response.status_code, body[:most_bytes]))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError) as error:  # the last: closed while it read
        answer.append(f"{type(error).__name__}: {error}"[:400])
