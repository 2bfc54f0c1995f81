"""Where GitHub is, and which repository is meant: checked before anything is sent there."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from core.errors import ConfigError

__all__ = ["API_URL", "Repository", "api_url"]

API_URL = "https://api.github.com"
_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_NAME = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True)
class Repository:
    """`owner`/`name` as GitHub takes them.  Raises ConfigError for anything else."""

    owner: str
    name: str

    def __post_init__(self) -> None:
        for value, pattern, variable in (
            (self.owner, _OWNER, "GITHUB_REPO_OWNER"),
            (self.name, _NAME, "GITHUB_REPO_NAME"),
        ):
            if not pattern.fullmatch(value):
                raise ConfigError(
                    f"{value!r} is not the {'owner' if pattern is _OWNER else 'name'} of a repository",
                    where=variable,
                    hint="write --repo owner/name, or set GITHUB_REPO_OWNER and GITHUB_REPO_NAME",
                )

    @classmethod
    def of(cls, text: str) -> Repository:
        """From `owner/name`."""
        owner, _, name = text.partition("/")
        return cls(owner, name)

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"

    def path(self, *steps: str) -> str:
        """The path of a resource below the repository; a `/` within a step stays, everything else is quoted."""
        return "/".join([f"/repos/{self.owner}/{self.name}", *(quote(step, safe="/") for step in steps)])


def api_url(given: str | None, environment: Mapping[str, str]) -> str:
    """The base URL of the API: `given`, else GITHUB_API_URL, else github.com's.

    The bare address of a GitHub Enterprise Server gets its `/api/v3`.  Raises ConfigError for what is no URL, and for
    one without TLS to another machine: the token would be read on the way.
    """
    text = (given or environment.get("GITHUB_API_URL") or API_URL).strip().rstrip("/")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(
            "the address of GitHub's API is no plain URL",
            where="GITHUB_API_URL",
            hint=f"write {API_URL}, or https://HOST/api/v3 of a GitHub Enterprise Server",
        )
    here = _loopback(host)
    if parts.scheme == "http" and not here:
        raise ConfigError(
            f"{parts.scheme}://{host} is not encrypted, so no token is sent there",
            where="GITHUB_API_URL",
            hint="write https://",
        )
    if host in ("github.com", "www.github.com"):
        return API_URL
    if not parts.path and not here and not host.startswith("api."):
        return f"{text}/api/v3"
    return text


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
