"""Requests by who sent them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from logstats.records import Request, Session, User
from logstats.settings import SETTINGS


def sessions_of(requests: Iterable[Request]) -> list[Session]:
    """Requests of one user without a pause longer than `SETTINGS.pause_s`, in order of first moment and user.

    Requests of nobody ("-") are left out; the lines need not be in order of time.
    """
    by_user: dict[str, list[Request]] = {}
    for request in requests:
        if request.user == "-":
            continue
        if request.user not in by_user:
            by_user[request.user] = []
        by_user[request.user].append(request)
        by_user[request.user].sort(key=lambda one: one.moment)
    sessions = []
    for user in by_user:
        session = Session(user)
        for request in by_user[user]:
            if session.requests:
                pause = (request.moment - session.requests[-1].moment).total_seconds()
                if pause > SETTINGS.pause_s:
                    sessions.append(session)
                    session = Session(user)
            session.requests.append(request)
        sessions.append(session)
    return sorted(sessions, key=lambda session: (session.requests[0].moment, session.user))


def join_users(requests: Sequence[Request], users: Sequence[User]) -> list[tuple[Request, User]]:
    """Each request with the account that sent it, once for each team of that account; strangers are left out."""
    pairs = []
    for request in requests:
        for user in users:
            if user.name == request.user:
                pairs.append((request, user))
    return pairs


def load_by_team(requests: Sequence[Request], users: Sequence[User]) -> dict[str, tuple[int, float, int]]:
    """For each team its requests, their seconds and its different users; teams in order of their first request."""
    counts: dict[str, int] = {}
    seconds: dict[str, float] = {}
    people: dict[str, list[str]] = {}
    for request, user in join_users(requests, users):
        if user.team not in counts:
            counts[user.team] = 0
            seconds[user.team] = 0.0
            people[user.team] = []
        counts[user.team] += 1
        seconds[user.team] += request.duration
        if user.name not in people[user.team]:
            people[user.team].append(user.name)
    return {team: (counts[team], seconds[team], len(people[team])) for team in counts}
