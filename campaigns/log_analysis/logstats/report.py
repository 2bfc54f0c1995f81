"""All statistics of a pair of logs in one report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from logstats.parsing import browser_of, parse_events, parse_requests
from logstats.ranking import slowest, top, unique
from logstats.rates import busiest, curve, per_window, running_median, surges
from logstats.records import Event, Request, User
from logstats.sessions import load_by_team, sessions_of
from logstats.settings import is_slow, local_hour, shown_name
from logstats.similarity import similar_pairs
from logstats.templates import alerts, clusters, templates_by_source
from logstats.words import ngram_counts, word_counts

KEYWORDS = ["Timeout", "Refused", "Deadlock", "Out of memory", "Denied", "Retry", "Corrupt", "Expired", "Overflow"]

Report = dict[str, Any]


def analyse(access: Iterable[str], application: Iterable[str], users: Sequence[User]) -> Report:
    """The report on the lines of an access log and an application log, as plain lists, numbers and texts for JSON."""
    requests, bad_requests = parse_requests(access)
    events, bad_events = parse_events(application)
    return {
        "lines": {
            "requests": len(requests),
            "events": len(events),
            "rejected": bad_requests + bad_events,
        },
        "traffic": traffic(requests),
        "latency": latency(requests),
        "visitors": visitors(requests, users),
        "events": event_statistics(events),
        "wording": wording(events),
    }


def traffic(requests: Sequence[Request]) -> Report:
    """What was asked for, when and by which browsers."""
    paths: dict[str, int] = {}
    browsers: dict[str, int] = {}
    statuses: dict[str, int] = {}
    hours: dict[str, int] = {}
    for request in requests:
        paths[request.path] = paths.get(request.path, 0) + 1
        browser = browser_of(request.agent)
        browsers[browser] = browsers.get(browser, 0) + 1
        status = str(request.status)
        statuses[status] = statuses.get(status, 0) + 1
        hour = f"{local_hour(request.moment):02d}"
        hours[hour] = hours.get(hour, 0) + 1
    moments = [request.moment for request in requests]
    windows = per_window(moments, 3600)
    peak = busiest(moments, 60)
    return {
        "paths": top(paths, 20),
        "browsers": top(browsers, 10),
        "statuses": top(statuses, 10),
        "hours": dict(sorted(hours.items())),
        "windows": [[stamp(start), count] for start, count in windows],
        "surges": [stamp(windows[i][0]) for i in surges([count for _, count in windows], 2.0)],
        "busiest_minute": None if peak is None else [stamp(peak[0]), peak[1]],
        "bytes": sum([request.size for request in requests]),
    }


def latency(requests: Sequence[Request]) -> Report:
    """How long the answers took, in seconds."""
    durations = [request.duration for request in requests]
    medians = running_median(durations)
    return {
        "curve": [[share, rounded(value)] for share, value in curve(durations, range(1, 100))],
        "medians": [rounded(value) for value in medians[99::100]],
        "slow": sum([1 for duration in durations if is_slow(duration)]),
        "slowest": [[one.path, one.user, one.duration] for one in slowest(requests, 10)],
    }


def visitors(requests: Sequence[Request], users: Sequence[User]) -> Report:
    """Who came, for how long, and which teams they belong to."""
    sessions = sessions_of(requests)
    lengths = [session.seconds for session in sessions]
    load = load_by_team(requests, users)
    return {
        "addresses": len(unique(request.address for request in requests)),
        "users": len(unique(request.user for request in requests)),
        "sessions": len(sessions),
        "session_seconds": [[share, rounded(value)] for share, value in curve(lengths, [50, 90, 99])],
        "teams": {team: [count, rounded(seconds), people] for team, (count, seconds, people) in load.items()},
    }


def event_statistics(events: Sequence[Event]) -> Report:
    """Which messages came how often, and from where."""
    levels: dict[str, int] = {}
    sources: dict[str, int] = {}
    for event in events:
        levels[event.level] = levels.get(event.level, 0) + 1
        sources[shown_name(event.source)] = sources.get(shown_name(event.source), 0) + 1
    errors = [event for event in events if event.level in ["ERROR", "FATAL"]]
    found = clusters(events)
    return {
        "levels": levels,
        "sources": sources,
        "clusters": [[one.template, one.count, stamp(one.first), stamp(one.last), one.examples] for one in found[:25]],
        "error_clusters": [[one.template, one.count] for one in clusters(errors, examples=0)[:25]],
        "templates_by_source": templates_by_source(events),
        "similar": [[a, b, rounded(share)] for a, b, share in similar_pairs([one.template for one in found], 0.6)],
        "alerts": alerts(events, KEYWORDS),
    }


def wording(events: Sequence[Event]) -> Report:
    """The words of the messages, each message counted once however often it came."""
    messages = unique(event.message for event in events)
    return {
        "messages": len(messages),
        "words": top(word_counts(messages), 25),
        "bigrams": top(ngram_counts(messages, 2), 25),
        "trigrams": top(ngram_counts(messages, 3), 25),
    }


def stamp(moment: datetime | None) -> str:
    """A moment as text to the second; "-" for none."""
    if moment is None:
        return "-"
    return moment.isoformat(sep=" ", timespec="seconds")


def rounded(value: float) -> float:
    """To the microsecond; NaN, which JSON does not know, becomes zero."""
    if value != value:
        return 0.0
    return round(value, 6)


def figure(value: float) -> str:
    """A number for the text report: whole numbers with a thousands' separator, others with three decimals."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3f}"


def as_json(report: Report) -> str:
    """The report as JSON, keys in order."""
    return json.dumps(report, sort_keys=True, ensure_ascii=False)


def as_text(report: Report) -> str:
    """The report as text: a heading for each part, two blanks before each of its lines."""
    text = ""
    for part in report:
        text += part.upper() + "\n"
        for name in report[part]:
            value = report[part][name]
            if isinstance(value, dict):
                text += "  " + name + "\n"
                for key in value:
                    text += "    " + key + ": " + row(value[key]) + "\n"
            elif isinstance(value, list):
                text += "  " + name + "\n"
                for entry in value:
                    text += "    " + row(entry) + "\n"
            else:
                text += "  " + name + ": " + row(value) + "\n"
    return text


def row(entry: Any) -> str:
    """One line of the text report."""
    if isinstance(entry, (list, tuple)):
        cells = ""
        for cell in entry:
            if cells:
                cells += "  "
            cells += row(cell)
        return cells
    if isinstance(entry, (int, float)):
        return figure(entry)
    return str(entry)
