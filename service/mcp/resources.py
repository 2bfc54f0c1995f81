"""What can be read: campaigns, their trajectories, decisions and reports, and the episodes of runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from mcp_types import Resource, ResourceTemplate, TextResourceContents

from core.errors import NotFoundError
from service.mcp.tools import route_of
from service.operations.desk import Desk
from service.operations.performing import perform, taken_of
from service.operations.table import operation

__all__ = ["NEWEST", "completions", "listed", "read", "templates"]

NEWEST = 50
"""Campaigns and runs that are listed by themselves; every one can be read by its template."""
MOST_ROWS = 500


@dataclass(frozen=True)
class _Kind:
    """Resources of one template, and the operation that reads them."""

    template: str
    operation: str
    title: str
    media_type: str = "application/json"
    rows: bool = False

    def match(self, uri: str) -> dict[str, str] | None:
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.template))
        found = re.fullmatch(pattern, uri)
        return None if found is None else {name: unquote(value) for name, value in found.groupdict().items()}


KINDS = (
    _Kind("ratchet://campaigns/{campaign}", "campaigns.status", "How a campaign stands"),
    _Kind("ratchet://campaigns/{campaign}/trajectories", "campaigns.trajectories", "What was tried", rows=True),
    _Kind("ratchet://campaigns/{campaign}/decisions", "decisions.list", "Proposals, votes and rulings", rows=True),
    _Kind("ratchet://campaigns/{campaign}/report", "campaigns.report", "The HTML report", "text/html"),
    _Kind("ratchet://episodes/{run_id}", "training.episodes", "The episodes of a run", rows=True),
    _Kind("ratchet://episodes/{run_id}/{episode_id}", "training.episode", "One episode whole"),
)


def templates() -> list[ResourceTemplate]:
    return [
        ResourceTemplate(
            name=kind.operation,
            title=kind.title,
            uri_template=kind.template,
            description=operation(kind.operation).summary,
            mime_type=kind.media_type,
        )
        for kind in KINDS
    ]


async def listed(desk: Desk) -> list[Resource]:
    """The newest campaigns and runs.  Raises RatchetError."""
    found = []
    for kind in KINDS:
        if kind.template.count("{") > 1:
            continue
        name = re.findall(r"{(\w+)}", kind.template)[0]
        for value in (await _known(name, desk))[-NEWEST:]:
            uri = kind.template.replace(f"{{{name}}}", value)
            found.append(
                Resource(
                    name=uri.removeprefix("ratchet://"),
                    title=f"{kind.title}: {value}",
                    uri=uri,
                    mime_type=kind.media_type,
                )
            )
    return found


async def read(uri: str, desk: Desk) -> TextResourceContents:
    """Raises NotFoundError for what is no resource, and what the operation raises."""
    for kind in KINDS:
        if (given := kind.match(uri)) is not None:
            told = await _performed(kind.operation, {**given, **({"limit": MOST_ROWS} if kind.rows else {})}, desk)
            text = told.html if kind.media_type == "text/html" else told.model_dump_json()
            return TextResourceContents(uri=uri, mime_type=kind.media_type, text=text)
    known = ", ".join(kind.template for kind in KINDS)
    raise NotFoundError(f"there is no resource {uri[:200]!r}", where="resources/read", hint=f"known: {known}")


async def completions(name: str, begun: str, desk: Desk) -> list[str]:
    """The values of a template's or prompt's argument that begin so; at most 100."""
    found = [value for value in reversed(await _known(name, desk)) if value.startswith(begun)]
    return found[:100]


async def _known(name: str, desk: Desk) -> list[str]:
    """The campaigns, or the runs, the oldest first."""
    if name == "campaign":
        told = await _performed("campaigns.list", {"limit": MOST_ROWS}, desk)
        return [row.campaign for row in told.campaigns]
    if name == "run_id":
        told = await _performed("training.runs", {"limit": MOST_ROWS}, desk)
        return [row.run_id for row in told.runs]
    return []


async def _performed(name: str, given: Mapping[str, Any], desk: Desk) -> Any:
    one = operation(name)
    lent = desk.asked_by(replace(desk.asker, route=route_of(name)))
    return await perform(one, taken_of(one, given), lent)
