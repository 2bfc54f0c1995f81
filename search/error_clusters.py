"""Errors that are one error: by type, component and template of the message.

A cluster recurs when it has more than 10 errors in the last hour and the last of them within that hour.  What an error
is about is told by its type and words: a timeout, a connection, an API of someone else, or anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from search.templates import Templates

__all__ = ["ErrorCluster", "ErrorCount", "ErrorNature", "clusters", "nature"]

RECURRING = 10
HOUR_S = 3600.0
ErrorNature = Literal["timeout", "connection", "api", "error_pattern"]

NATURES: tuple[tuple[ErrorNature, re.Pattern[str]], ...] = (
    ("timeout", re.compile(r"(?i)time(?:d)?[ _-]?out|deadline exceeded")),
    (
        "connection",
        re.compile(
            r"(?i)connection(?:error| ?(?:refused|reset|aborted|closed|lost))|connect(?:ion)? failed|broken ?pipe"
            r"|could not connect|cannot connect|failed to connect|name resolution|no route to host"
            r"|network is unreachable|connection pool"
        ),
    ),
    (
        "api",
        re.compile(
            r"(?i)\bapi\b|httperror|http ?status|status(?: code)?[ =:]+[<n>45]|bad gateway|service unavailable"
            r"|too many requests|rate limit|upstream|webhook"
        ),
    ),
)


@dataclass(frozen=True)
class ErrorCount:
    """Errors with equal type, component and masked message in one span of time.  `count` is estimated when sampled."""

    component: str
    error_type: str
    message: str
    count: float
    last_at: float
    example: str = ""
    stack: str = ""


@dataclass(frozen=True)
class ErrorCluster:
    """`hour_count` is of the last hour, `count` of all that was told."""

    component: str
    error_type: str
    template: str
    count: float
    hour_count: float
    last_at: float
    recurring: bool
    nature: ErrorNature
    example: str = ""
    stack: str = ""


def nature(error_type: str, message: str) -> ErrorNature:
    """What an error is about, by its type first and its words second."""
    for text in (error_type, message):
        for name, pattern in NATURES:
            if pattern.search(text):
                return name
    return "error_pattern"


def clusters(counts: Iterable[ErrorCount], recent: Iterable[ErrorCount], now: float) -> tuple[ErrorCluster, ...]:
    """Clusters of all `counts`, most in the hour first; `recent` are those of the last hour, counted again by hour."""
    templates = Templates()
    found: dict[tuple[str, str, int], list[ErrorCount]] = {}
    hour: dict[tuple[str, str, int], float] = {}
    every, lately = list(counts), list(recent)
    for one in sorted(every, key=lambda c: (c.component, c.error_type, c.message)):
        number = templates.add(one.message, f"{one.component}\0{one.error_type}")
        found.setdefault((one.component, one.error_type, number), []).append(one)
    for one in lately:
        number = templates.add(one.message, f"{one.component}\0{one.error_type}")
        key = (one.component, one.error_type, number)
        hour[key] = hour.get(key, 0.0) + one.count
    made = []
    for key, members in found.items():
        component, error_type, number = key
        last = max(members, key=lambda c: c.last_at)
        in_hour = hour.get(key, 0.0)
        template = templates.text(number)
        made.append(
            ErrorCluster(
                component,
                error_type,
                template,
                sum(c.count for c in members),
                in_hour,
                last.last_at,
                in_hour > RECURRING and now - last.last_at <= HOUR_S,
                nature(error_type, template),
                last.example,
                last.stack,
            )
        )
    return tuple(sorted(made, key=lambda c: (-c.hour_count, -c.count, c.component, c.error_type, c.template)))
