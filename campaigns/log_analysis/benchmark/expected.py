"""What the report must say, worked out from the truth of a workload and not from its lines.

Shares no code with the library and goes other ways: sums by sorting, counts by Counter, distances by table.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any

from workload import Workload

__all__ = ["expected_report", "expected_text"]

LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")
KEYWORDS = ("Timeout", "Refused", "Deadlock", "Out of memory", "Denied", "Retry", "Corrupt", "Expired", "Overflow")
STOP_WORDS = {
    "a", "about", "after", "all", "also", "an", "and", "any", "are", "as", "at", "be", "because", "been", "before",
    "but", "by", "can", "could", "did", "do", "does", "for", "from", "had", "has", "have", "if", "in", "into", "is",
    "it", "its", "may", "more", "no", "not", "of", "on", "or", "other", "our", "over", "since", "so", "some", "than",
    "that", "the", "their", "them", "then", "there", "these", "they", "this", "to", "too", "until", "up", "was", "we",
    "were", "what", "when", "where", "which", "while", "who", "will", "with", "would", "you", "your",
}  # fmt: skip
WORD = re.compile(r"[a-z]+(?:[-'][a-z]+)*")


def expected_report(workload: Workload) -> dict[str, Any]:
    """The report on a workload, under the library's default settings."""
    return {
        "lines": {
            "requests": len(workload.requests),
            "events": len(workload.events),
            "rejected": workload.rejected,
        },
        "traffic": _traffic(workload),
        "latency": _latency(workload),
        "visitors": _visitors(workload),
        "events": _events(workload),
        "wording": _wording(workload),
    }


def _traffic(workload: Workload) -> dict[str, Any]:
    moments, _, _, paths, browsers, statuses, sizes, _ = zip(*workload.requests, strict=True)
    start = min(moments)
    filled = Counter((moment - start) // timedelta(hours=1) for moment in moments)
    counts = [filled[i] for i in range(max(filled) + 1)]
    windows = [start + timedelta(hours=i) for i in range(len(counts))]
    seconds = Counter(moments)
    within = {at: sum(seconds[at - timedelta(seconds=back)] for back in range(61)) for at in seconds}
    peak = min(within, key=lambda at: (-within[at], at))
    return {
        "paths": _top(paths, 20),
        "browsers": _top(browsers, 10),
        "statuses": _top(map(str, statuses), 10),
        "hours": dict(sorted(Counter(f"{moment:%H}" for moment in moments).items())),
        "windows": [[_stamp(at), n] for at, n in zip(windows, counts, strict=True)],
        "surges": [
            _stamp(windows[i])
            for i in range(6, len(counts))
            if 3 * counts[i] > 2 * sum(sorted(counts[i - 6 : i])[:3]) and 2 * counts[i] > counts[i - 1] + counts[i - 2]
        ],
        "busiest_minute": [_stamp(peak), within[peak]],
        "bytes": sum(sizes),
    }


def _latency(workload: Workload) -> dict[str, Any]:
    durations = [request[7] for request in workload.requests]
    slowest = sorted(workload.requests, key=lambda request: request[7], reverse=True)[:10]
    return {
        "curve": _curve(durations, range(1, 100)),
        "medians": [_curve(durations[:n], [50])[0][1] for n in range(100, len(durations) + 1, 100)],
        "slow": sum(duration >= 1.0 for duration in durations),
        "slowest": [[path, user, duration] for _, _, user, path, _, _, _, duration in slowest],
    }


def _visitors(workload: Workload) -> dict[str, Any]:
    visits: dict[str, list[datetime]] = defaultdict(list)
    teams: dict[str, list[str]] = defaultdict(list)
    load: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for name, team in workload.accounts:
        teams[name].append(team)
    for request in workload.requests:
        if request[2] != "-":
            visits[request[2]].append(request[0])
        for team in teams.get(request[2], ()):
            load[team].append((request[2], request[7]))
    lengths = []
    for moments in visits.values():
        pauses = [i + 1 for i, (a, b) in enumerate(pairwise(moments)) if (b - a).total_seconds() > 1800.0]
        for first, after in pairwise([0, *pauses, len(moments)]):
            lengths.append((moments[after - 1] - moments[first]).total_seconds())
    return {
        "addresses": len({request[1] for request in workload.requests}),
        "users": len({request[2] for request in workload.requests}),
        "sessions": len(lengths),
        "session_seconds": _curve(lengths, [50, 90, 99]),
        "teams": {
            team: [len(seen), round(sum([duration for _, duration in seen]), 6), len({name for name, _ in seen})]
            for team, seen in load.items()
        },
    }


def _events(workload: Workload) -> dict[str, Any]:
    levels = [_level(written) for _, written, _, _, _ in workload.events]
    groups: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    kinds: dict[str, set[str]] = defaultdict(set)
    for moment, _, source, message, template in workload.events:
        groups[template].append((moment, message))
        kinds[source].add(template)
    ranked = sorted(groups, key=lambda template: -len(groups[template]))
    errors = Counter(
        event[4] for event, level in zip(workload.events, levels, strict=True) if level in ("ERROR", "FATAL")
    )
    words = {template: frozenset(template.lower().split()) for template in ranked}
    shares = [
        (a, b, len(words[a] & words[b]) / len(words[a] | words[b]))
        for i, a in enumerate(ranked)
        for b in ranked[i + 1 :]
    ]
    lowered = Counter(event[3].lower() for event in workload.events)
    found = Counter[str]()
    for text, n in lowered.items():
        found.update({keyword: n for keyword in KEYWORDS if keyword.lower() in text})
    return {
        "levels": dict(Counter(levels)),
        "sources": dict(Counter(event[2] for event in workload.events)),
        "clusters": [
            [
                template,
                len(groups[template]),
                _stamp(min(groups[template])[0]),
                _stamp(max(groups[template])[0]),
                list(dict.fromkeys(message for _, message in groups[template]))[:3],
            ]
            for template in ranked[:25]
        ],
        "error_clusters": [list(pair) for pair in errors.most_common(25)],
        "templates_by_source": {source: len(seen) for source, seen in kinds.items()},
        "similar": [
            [a, b, round(share, 6)]
            for a, b, share in sorted(shares, key=lambda pair: pair[2], reverse=True)
            if share >= 0.6
        ],
        "alerts": dict(found),
    }


def _wording(workload: Workload) -> dict[str, Any]:
    messages = list(dict.fromkeys(event[3] for event in workload.events))
    texts = [
        [word for word in WORD.findall(message.lower()) if len(word) > 2 and word not in STOP_WORDS]
        for message in messages
    ]
    return {
        "messages": len(messages),
        "words": _top((word for words in texts for word in words), 25),
        "bigrams": _top((f"{a} {b}" for words in texts for a, b in pairwise(words)), 25),
        "trigrams": _top(
            (f"{a} {b} {c}" for words in texts for a, b, c in zip(words, words[1:], words[2:], strict=False)), 25
        ),
    }


@cache
def _level(written: str) -> str:
    distances = [(_distance(written, level), i) for i, level in enumerate(LEVELS)]
    least, i = min(distances)
    return LEVELS[i] if least <= 2 else "UNKNOWN"


def _distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def _top(items: Iterable[str], k: int) -> list[list[Any]]:
    return [[name, n] for name, n in sorted(Counter(items).items(), key=lambda pair: (-pair[1], pair[0]))[:k]]


def _curve(values: Sequence[float], shares: Iterable[float]) -> list[list[float]]:
    ordered = sorted(values)
    points = []
    for share in shares:
        whole, part = divmod((len(ordered) - 1) * share, 100)
        low, high = ordered[whole], ordered[min(whole + 1, len(ordered) - 1)]
        points.append([share, round(low + (high - low) * (part / 100), 6)])
    return points


def _stamp(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="seconds")


def expected_text(report: dict[str, Any]) -> str:
    """The text report, line by line."""
    lines = []
    for part, values in report.items():
        lines.append(part.upper())
        for name, value in values.items():
            if isinstance(value, dict):
                lines += [f"  {name}", *(f"    {key}: {_cells(one)}" for key, one in value.items())]
            elif isinstance(value, list):
                lines += [f"  {name}", *(f"    {_cells(one)}" for one in value)]
            else:
                lines.append(f"  {name}: {_cells(value)}")
    return "".join(line + "\n" for line in lines)


def _cells(value: Any) -> str:
    if isinstance(value, list):
        return "  ".join(filter(None, map(_cells, value)))
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
