"""The MCP server over a desk, and its two transports: standard input and output, and HTTP below `serve`."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version
from typing import Any, TypeVar

from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
)

from core.errors import ConfigError, RatchetError
from prompts import render
from service.mcp import prompts, resources, watching
from service.mcp.tools import call, described
from service.operations.desk import Desk
from service.operations.table import tools
from service.operations.tail import Tail
from service.rest.app import Mounted

__all__ = ["PATH", "mounted", "on_stdio", "server_over"]

PATH = "/mcp"
PAGE = 100
IDLE_S = 1800.0
SESSIONS = 64
T = TypeVar("T")


def server_over(desk: Desk, tail: Tail) -> Server[Any]:
    """The server; every call passes the policy under `desk.asker`, by a route `mcp …`."""

    async def list_tools(_: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[*map(described, tools().values()), watching.tool()])

    async def call_tool(context: ServerRequestContext[Any], asked: CallToolRequestParams) -> CallToolResult:
        given = asked.arguments or {}
        if asked.name == watching.NAME:
            return await watching.watch(given, desk, tail, context.session.report_progress)
        return await call(asked.name, given, desk)

    async def list_resources(_: ServerRequestContext[Any], asked: PaginatedRequestParams | None) -> ListResourcesResult:
        found = await _told(resources.listed(desk))
        begin = _place(asked.cursor if asked else None)
        following = _cursor(begin + PAGE) if begin + PAGE < len(found) else None
        return ListResourcesResult(resources=found[begin : begin + PAGE], next_cursor=following)

    async def list_templates(
        _: ServerRequestContext[Any], __: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        return ListResourceTemplatesResult(resource_templates=resources.templates())

    async def read_resource(_: ServerRequestContext[Any], asked: ReadResourceRequestParams) -> ReadResourceResult:
        return ReadResourceResult(contents=[await _told(resources.read(str(asked.uri), desk))])

    async def list_prompts(_: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListPromptsResult:
        return ListPromptsResult(prompts=prompts.offered())

    async def get_prompt(_: ServerRequestContext[Any], asked: GetPromptRequestParams) -> GetPromptResult:
        async def made() -> GetPromptResult:
            return prompts.get(asked.name, asked.arguments or {})

        return await _told(made())

    async def complete(_: ServerRequestContext[Any], asked: CompleteRequestParams) -> CompleteResult:
        values = await _told(resources.completions(asked.argument.name, asked.argument.value, desk))
        return CompleteResult(completion=Completion(values=values, total=len(values), has_more=False))

    told = render("server/instructions")
    return Server(
        "ratchet",
        version=version("ratchet"),
        title="Ratchet",
        instructions=f"{told.system}\n\n{told.user}",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
        on_completion=complete,
    )


async def on_stdio(server: Server[Any]) -> None:
    """Serve one client on standard input and output, until its side is closed."""
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


def mounted(desk: Desk, tail: Tail) -> Mounted:
    """The server as an app below `/mcp`, behind the gate of `serve`, which checks token, host and origin."""
    sessions = StreamableHTTPSessionManager(
        server_over(desk, tail),
        security_settings=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        session_idle_timeout=IDLE_S,
        max_sessions=SESSIONS,
    )
    running: Callable[[], AbstractAsyncContextManager[None]] = sessions.run
    return Mounted(PATH, StreamableHTTPASGIApp(sessions), running)


async def _told(work: Awaitable[T]) -> T:
    """What comes of it, with our errors as the protocol's."""
    try:
        return await work
    except RatchetError as error:
        code = INVALID_PARAMS if isinstance(error, ConfigError) else INTERNAL_ERROR
        raise MCPError(code, error.what, {"where": error.where, "try": error.hint}) from error


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode()


def _place(cursor: str | None) -> int:
    """Raises MCPError for a cursor that was never given."""
    if cursor is None:
        return 0
    try:
        place = int(base64.urlsafe_b64decode(cursor[:40]))
    except ValueError:
        place = -1
    if place < 0:
        raise MCPError(INVALID_PARAMS, "there is no page after this cursor", {"try": "take next_cursor of a page"})
    return place
