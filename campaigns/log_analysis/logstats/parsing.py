"""Read lines of access logs (combined format and a duration) and of application logs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from logstats.records import Event, Request
from logstats.similarity import nearest

LEVELS = ["DEBUG", "INFO", "WARN", "ERROR", "FATAL"]

BROWSERS = [
    ("bot", r"(bot|crawler|spider)\b"),
    ("curl", r"^(curl|wget)/"),
    ("library", r"^(python-requests|okhttp|axios|go-http-client)"),
    ("edge", r"\bedg(e|a|ios)?/\d+"),
    ("opera", r"\b(opr|opera)/\d+"),
    ("firefox", r"\b(firefox|fxios)/\d+"),
    ("chrome", r"\b(chrome|crios)/\d+"),
    ("safari", r"\bversion/[\d.]+ .*safari/\d+"),
]
"""Name and pattern in the order in which they are tried: Edge also says that it is Chrome, Chrome that it is Safari."""


def parse_moment(text: str, layout: str) -> datetime:
    """The moment that is written in `text`; ValueError if it does not follow the layout of `strptime`."""
    return datetime.strptime(text, layout)


def parse_request(line: str) -> Request | None:
    """A line of an access log; None if it is not one."""
    match = re.match(
        r'(\S+) \S+ (\S+) \[([^\]]+)\] "([A-Z]+) (\S+) [^"]*" (\d{3}) (\d+|-) "[^"]*" "([^"]*)" (\d+\.\d+)$',
        line,
    )
    if match is None:
        return None
    address, user, written, method, target, status, size, agent, duration = match.groups()
    try:
        moment = parse_moment(written, "%d/%b/%Y:%H:%M:%S %z")
    except ValueError:
        return None
    return Request(
        moment=moment,
        address=address,
        user=user,
        method=method,
        path=target.split("?")[0],
        status=int(status),
        size=0 if size == "-" else int(size),
        duration=float(duration),
        agent=agent,
    )


def parse_event(line: str) -> Event | None:
    """A line of an application log, `2024-03-01 09:15:02 ERROR [billing] message`; None if it is not one."""
    match = re.match(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) ([A-Za-z]+) \[([^\]]+)\] (.*)$", line)
    if match is None:
        return None
    written, level, source, message = match.groups()
    try:
        moment = parse_moment(written, "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return None
    return Event(moment=moment, level=level_of(level), source=source, message=message.strip())


def parse_requests(lines: Iterable[str]) -> tuple[list[Request], int]:
    """The requests in order of their lines, and how many lines were none. Blank lines do not count."""
    requests = []
    rejected = 0
    for line in lines:
        if not line.strip():
            continue
        request = parse_request(line.strip())
        if request is None:
            rejected += 1
        else:
            requests.append(request)
    return requests, rejected


def parse_events(lines: Iterable[str]) -> tuple[list[Event], int]:
    """The events in order of their lines, and how many lines were none.

    A line that begins with blanks goes on with the message of the event before it.
    """
    events: list[Event] = []
    rejected = 0
    for line in lines:
        if not line.strip():
            continue
        if line[0] in " \t" and events:
            events[-1].message += " " + line.strip()
            continue
        event = parse_event(line.strip())
        if event is None:
            rejected += 1
        else:
            events.append(event)
    return events, rejected


def level_of(word: str) -> str:
    """The level that is meant by a word: itself, or the nearest known one within two edits, or UNKNOWN."""
    if word.upper() in LEVELS:
        return word.upper()
    return nearest(word.upper(), LEVELS, 2) or "UNKNOWN"


def browser_of(agent: str) -> str:
    """The family of the browser, or "other"."""
    for name, pattern in BROWSERS:
        if re.search(pattern, agent.lower()):
            return name
    return "other"
