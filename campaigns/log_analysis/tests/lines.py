"""Lines and records for the tests, as short to write as they can be."""

from __future__ import annotations

from datetime import datetime, timedelta

from logstats import Event, Request

NOON = datetime(2024, 3, 1, 12, 0, 0)


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def request(
    seconds: float = 0.0, user: str = "ann", path: str = "/", duration: float = 0.1, address: str = "10.0.0.1"
) -> Request:
    return Request(
        moment=at(seconds),
        address=address,
        user=user,
        method="GET",
        path=path,
        status=200,
        size=10,
        duration=duration,
        agent="curl/8.4.0",
    )


def event(message: str, seconds: float = 0.0, level: str = "INFO", source: str = "shop") -> Event:
    return Event(moment=at(seconds), level=level, source=source, message=message)


def access_line(
    moment: str = "01/Mar/2024:12:00:00 +0000",
    target: str = "/cart?item=7",
    size: str = "512",
    user: str = "ann",
    duration: str = "0.125",
) -> str:
    return f'10.0.0.1 - {user} [{moment}] "GET {target} HTTP/1.1" 200 {size} "-" "curl/8.4.0" {duration}'
