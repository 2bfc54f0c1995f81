"""Every operation of the table that has a tool's name, as a tool; and what comes of a call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mcp_types import CallToolResult, TextContent, Tool, ToolAnnotations

from core.errors import ConfigError, NotFoundError, RatchetError, nearest
from core.policy import ACTION_FACTS, Action
from service.operations.desk import Asker, Desk
from service.operations.once import perform_once
from service.operations.operation import Operation
from service.operations.performing import perform, taken_of
from service.operations.table import tools

__all__ = ["answer", "call", "described", "refused", "route_of"]

KEY, APPROVAL = "idempotency_key", "approval_id"
EXTRA: Mapping[str, dict[str, Any]] = {
    KEY: {
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "description": "repeated with the same content, the call is carried out once and answers the same",
    },
    APPROVAL: {
        "type": "string",
        "pattern": r"^a-[0-9a-f]{1,64}$",
        "description": "of the question that this call made, when a person said yes to it",
    },
}
"""What a call may have beside the operation's own input."""


def route_of(name: str) -> str:
    """The route by which the policy and the audit know a tool or a resource."""
    return f"mcp {name}"


def described(operation: Operation) -> Tool:
    """The tool of an operation, with the schemas of what it takes and answers."""
    assert operation.tool is not None
    takes = operation.takes.model_json_schema()
    takes["properties"] = {**takes.get("properties", {}), **{name: EXTRA[name] for name in _extra(operation)}}
    reads = operation.action is Action.READ
    facts = ACTION_FACTS[operation.action]
    return Tool(
        name=operation.tool,
        title=operation.summary,
        description=f"{operation.summary}. {(operation.takes.__doc__ or '').strip()}".strip(),
        input_schema=takes,
        output_schema=_with_nulls(operation.answers.model_json_schema(mode="serialization")),
        annotations=ToolAnnotations(
            read_only_hint=reads,
            destructive_hint=operation.action is Action.MEMORY_DELETE,
            idempotent_hint=reads or not operation.changes,
            open_world_hint=facts.leaves_machine,
        ),
    )


async def call(name: str, arguments: Mapping[str, Any], desk: Desk) -> CallToolResult:
    """Carry a tool out, with the policy's leave under the route `mcp NAME`.  An error is an answer, not a fault."""
    try:
        known = tools()
        if name not in known:
            raise NotFoundError(f"there is no tool {name!r}", where="tools/call", hint=nearest(name, known))
        operation = known[name]
        given = dict(arguments)
        extra = {key: given.pop(key, None) for key in _extra(operation)}
        if wrong := next((key for key, value in extra.items() if not isinstance(value, str | None)), None):
            raise ConfigError(f"{wrong} is no text", where=name)
        lent = desk.asked_by(_asker(desk, name, extra.get(APPROVAL) or ""))
        taken = taken_of(operation, given)
        key = extra.get(KEY)
        told = await (perform_once(operation, taken, lent, key) if key else perform(operation, taken, lent))
    except RatchetError as error:
        return refused(error)
    return answer(told.model_dump(mode="json"))


def answer(told: Any) -> CallToolResult:
    """Data as both forms that clients read."""
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return CallToolResult(content=[TextContent(text=text)], structured_content=told)


def refused(error: RatchetError) -> CallToolResult:
    """What is wrong, where, and what to try."""
    lines = [error.what, f"where: {error.where}" if error.where else "", f"try: {error.hint}" if error.hint else ""]
    return CallToolResult(content=[TextContent(text="\n".join(line for line in lines if line))], is_error=True)


def _asker(desk: Desk, name: str, approval_id: str) -> Asker:
    return replace(desk.asker, route=route_of(name), approval_id=approval_id)


def _extra(operation: Operation) -> tuple[str, ...]:
    wanted = (KEY,) if operation.changes else ()
    return wanted if operation.action is Action.READ else (*wanted, APPROVAL)


def _with_nulls(schema: Any) -> Any:
    """The schema in which any number may be null: NaN and infinities are no JSON."""
    if isinstance(schema, list):
        return [_with_nulls(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: _with_nulls(value) for key, value in schema.items()}
    if changed.get("type") == "number":
        changed["type"] = ["number", "null"]
    return changed
