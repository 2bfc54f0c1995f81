"""Messages that differ in numbers and names only belong together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from logstats.records import Cluster, Event


def template_of(message: str) -> str:
    """The message with what varies replaced by its kind: text, uuid, address, hex, path, number."""
    text = re.sub(r"\"[^\"]*\"|'[^']*'", "<text>", message)
    text = re.sub(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<uuid>", text)
    text = re.sub(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<address>", text)
    text = re.sub(r"\b0x[0-9a-fA-F]+\b", "<hex>", text)
    text = re.sub(r"(?:/[\w.-]+){2,}", "<path>", text)
    text = re.sub(r"\d+(?:\.\d+)?", "<number>", text)
    return " ".join(text.split())


def clusters(events: Iterable[Event], examples: int = 3) -> list[Cluster]:
    """Events by template, the most frequent first, equals in order of their first line.

    Each keeps up to `examples` different messages, the earliest seen first.
    """
    found: dict[str, Cluster] = {}
    for event in events:
        template = template_of(event.message)
        if template not in found:
            found[template] = Cluster(template=template)
        cluster = found[template]
        cluster.count += 1
        if cluster.first is None or event.moment < cluster.first:
            cluster.first = event.moment
        if cluster.last is None or event.moment > cluster.last:
            cluster.last = event.moment
        if len(cluster.examples) < examples and event.message not in cluster.examples:
            cluster.examples.append(event.message)
    return sorted(found.values(), key=lambda cluster: -cluster.count)


def templates_by_source(events: Iterable[Event]) -> dict[str, int]:
    """How many different templates each source has written, sources in order of their first line."""
    seen: list[tuple[str, str]] = []
    counts: dict[str, int] = {}
    for event in events:
        pair = (event.source, template_of(event.message))
        if pair not in seen:
            seen.append(pair)
            counts[event.source] = counts.get(event.source, 0) + 1
    return counts


def alerts(events: Iterable[Event], keywords: Sequence[str]) -> dict[str, int]:
    """In how many messages each keyword occurs, in any case; keywords in order of the first message with them."""
    counts: dict[str, int] = {}
    for event in events:
        for keyword in keywords:
            if keyword.lower() in event.message.lower():
                if keyword in counts:
                    counts[keyword] += 1
                else:
                    counts[keyword] = 1
    return counts
