"""One message, sent once: what the receiver answered, or why there is no answer.

A redirection is not followed: it would take the message where nobody sent it.  Proxies of the environment are not
used.  Of an answer only the head is read.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Literal

from runtime.webhooks.signature import signed_headers
from runtime.webhooks.target import RefusedAddressError, Target

__all__ = ["Answer", "Message", "send"]

TIMEOUT_S = 10.0
MAX_WAIT_S = 3600.0
TRY_AGAIN = frozenset({408, 409, 425, 429})
GONE = 410


@dataclass(frozen=True)
class Message:
    """What is to be sent; the same id for every attempt."""

    id: str
    body: bytes


@dataclass(frozen=True)
class Answer:
    """`accepted`: 2xx.  `later`: worth another try, after `wait_s` where it said so.  `refused`: it never will be.

    `gone`: the receiver wants nothing more (410).
    """

    outcome: Literal["accepted", "later", "refused", "gone"]
    status: int = 0
    reason: str = ""
    wait_s: float | None = None


def send(target: Target, key: bytes, message: Message, *, timeout_s: float = TIMEOUT_S) -> Answer:
    """POST the message, signed for this moment.  Raises nothing that the network or the receiver brings about."""
    headers = {
        **signed_headers(key, message.id, time.time(), message.body),
        "Content-Type": "application/json",
        "User-Agent": "ratchet-webhooks/1",
        "Connection": "close",
    }
    connection = _Connection(target, timeout_s)
    try:
        connection.request("POST", target.path, body=message.body, headers=headers)
        response = connection.getresponse()
        return _answer(response.status, response.headers.get("Retry-After"), response.headers.get("Date"))
    except RefusedAddressError as error:
        return Answer("refused", reason=str(error))
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer("later", reason=f"{type(error).__name__}: {error}"[:200])
    finally:
        connection.close()


def _answer(status: int, retry_after: str | None, date: str | None) -> Answer:
    if 200 <= status < 300:
        return Answer("accepted", status)
    if status == GONE:
        return Answer("gone", status, "it wants nothing more (410)")
    if 300 <= status < 400:
        return Answer("refused", status, f"it sends us elsewhere ({status}), which is not followed")
    if status >= 500 or status in TRY_AGAIN:
        return Answer("later", status, f"it answered {status}", _wait(retry_after, date))
    return Answer("refused", status, f"it answered {status}")


def _wait(retry_after: str | None, date: str | None) -> float | None:
    """Seconds that it asks to wait, at most an hour: a number, or a date by the receiver's own clock."""
    if retry_after is None:
        return None
    if retry_after.strip().isascii() and retry_after.strip().isdigit():
        return min(float(retry_after), MAX_WAIT_S)
    try:
        until = parsedate_to_datetime(retry_after).timestamp()
        now = parsedate_to_datetime(date).timestamp() if date else time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, until - now), MAX_WAIT_S)


class _Connection(http.client.HTTPConnection):
    """To an address that was looked at before; encrypted for the name, where the target is."""

    def __init__(self, target: Target, timeout_s: float) -> None:
        super().__init__(target.host, target.port, timeout=timeout_s)
        self._target = target
        self._timeout_s = timeout_s

    def connect(self) -> None:
        trouble: OSError | None = None
        for address in self._target.addresses():
            try:
                sock = socket.create_connection((address, self._target.port), timeout=self._timeout_s)
            except OSError as error:
                trouble = error
                continue
            self.sock = _trusted().wrap_socket(sock, server_hostname=self._target.host) if self._encrypted else sock
            return
        raise trouble or OSError("the name has no address")

    @property
    def _encrypted(self) -> bool:
        return self._target.scheme == "https"


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()
