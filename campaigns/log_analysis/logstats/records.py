"""What the logs are read into."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Request:
    """One line of an access log; `duration` in seconds, `size` in bytes, `user` is "-" for nobody."""

    moment: datetime
    address: str
    user: str
    method: str
    path: str
    status: int
    size: int
    duration: float
    agent: str


@dataclass
class Event:
    """One line of an application log; `level` is one of the known ones or UNKNOWN."""

    moment: datetime
    level: str
    source: str
    message: str


@dataclass
class User:
    """An account. One name may stand in several teams, and then has one record for each."""

    name: str
    team: str


@dataclass
class Session:
    """Requests of one user without a longer pause between them, in order of time."""

    user: str
    requests: list[Request] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """From the first request to the last."""
        return (self.requests[-1].moment - self.requests[0].moment).total_seconds()


@dataclass
class Cluster:
    """Events whose messages differ in numbers and names only, with a few examples as they were written."""

    template: str
    count: int = 0
    first: datetime | None = None
    last: datetime | None = None
    examples: list[str] = field(default_factory=list)
