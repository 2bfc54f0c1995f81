"""Where a webhook goes.  The address is the user's own setting, but a name in it may lead to where nobody meant.

An address that says itself that it is near (`localhost`, `127.0.0.1`, `10.0.0.7`) is taken at its word.  A name that
turns out to be a private, loopback or link-local address is refused, unless the settings allow it: so a project file
from elsewhere cannot reach a router or a cloud's metadata by a name of its maker's.  What is sent goes to the very
address that was looked at.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from core.errors import ConfigError
from core.ids import content_hash

__all__ = ["RefusedAddressError", "Target"]

SETTING = "webhook_url"


class RefusedAddressError(OSError):
    """A name leads to an address that may not be reached."""


@dataclass(frozen=True)
class Target:
    """One receiver.  `url` may hold a token and is not shown; `name` is what is shown, `id` what is stored."""

    url: str = field(repr=False)
    scheme: str
    host: str
    port: int
    path: str = field(repr=False)
    private: bool

    @classmethod
    def of(cls, url: str, *, private: bool = False) -> Target:
        """Raises ConfigError for what is no address to send to.  `private`: names may lead to private addresses."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise _wrong("is no address") from error
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or not host:
            raise _wrong("is no http or https address")
        if parts.username is not None or parts.password is not None:
            raise _wrong("holds a user or password; a webhook is known by its signature")
        if not url.isascii() or not url.isprintable() or " " in url:
            raise _wrong("holds characters that no address has")
        near = _says_near(host)
        if parts.scheme == "http" and not (near or private):
            raise _wrong(f"sends to {host} unencrypted; write https")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(url, parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path, private or near)

    @property
    def name(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def id(self) -> str:
        return content_hash("webhook", self.url)[:16]

    def addresses(self) -> list[str]:
        """The IP addresses to try, in the order the system gives.  Raises OSError, RefusedAddressError."""
        told = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        found = list(dict.fromkeys(str(one[4][0]) for one in told))
        if not self.private and (bad := [one for one in found if not _is_public(one)]):
            raise RefusedAddressError(f"{self.host} leads to {bad[0]}, a private address (webhook_private allows it)")
        return found


def _says_near(host: str) -> bool:
    try:
        return host.rstrip(".") == "localhost" or not _is_public(host)
    except ValueError:
        return False


def _is_public(address: str) -> bool:
    """Raises ValueError for what is no IP address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None) or ip
    return ip.is_global and inner.is_global and not ip.is_multicast


def _wrong(what: str) -> ConfigError:
    return ConfigError(f"a webhook's address {what}", where=SETTING, hint="such as https://example.com/hooks/ratchet")
