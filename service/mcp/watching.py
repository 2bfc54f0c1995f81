"""The one tool that waits: it follows a campaign, and tells of its progress until a cycle or the whole has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Literal

from anyio import to_thread
from mcp_types import CallToolResult, Tool, ToolAnnotations
from pydantic import Field, ValidationError

from core.errors import RatchetError
from core.validation import config_error
from service.mcp.tools import answer, refused, route_of
from service.operations.campaigns import status
from service.operations.desk import Desk
from service.operations.ids import OfCampaign
from service.operations.operation import Taken
from service.operations.tail import Tail

__all__ = ["NAME", "Progress", "tool", "watch"]

NAME = "watch_campaign"
MOST_S = 600
ENDS = frozenset({"CampaignFinished", "CampaignInterrupted"})
CYCLES = ENDS | {"CycleFinished"}
QUIET_S = 2.0
"""Between two looks at whether anybody runs it, when nothing happens."""
LEFT = 4
"""Looks in a row that find nobody: a run that was just started takes some seconds to load."""

Progress = Callable[[float, float | None, str], Awaitable[None]]


class Watch(OfCampaign):
    """Wait until the campaign's cycle, or the campaign, has ended, and say what happens meanwhile."""

    until: Literal["cycle", "end"] = "cycle"
    wait_s: float = Field(default=120, gt=0, le=MOST_S, description="at most so long")
    after: int = Field(default=0, ge=0, description="`seq` of an earlier call: go on from there; 0: from now on")


def tool() -> Tool:
    """What clients are told of it."""
    takes: type[Taken] = Watch
    return Tool(
        name=NAME,
        title="Watch a campaign",
        description=f"{(takes.__doc__ or '').strip()} Ask for progress to be told of every job.",
        input_schema=takes.model_json_schema(),
        annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
    )


async def watch(arguments: dict[str, Any], desk: Desk, tail: Tail, progress: Progress) -> CallToolResult:
    """`ended` says whether what was waited for has come; `seq` where a further call goes on."""
    try:
        taken = Watch.model_validate(arguments)
        lent = desk.asked_by(replace(desk.asker, route=route_of(NAME)))
        await to_thread.run_sync(lent.gate.look, lent.context())
        stored = await to_thread.run_sync(lent.ledger.campaign, taken.campaign)
        seq, ended = await _follow(taken, lent, tail, progress)
        standing = await to_thread.run_sync(status, OfCampaign(campaign=stored.id), lent)
    except ValidationError as error:
        return refused(config_error(error, Watch, NAME))
    except RatchetError as error:
        return refused(error)
    return answer({"ended": ended, "seq": seq, "campaign": standing.model_dump(mode="json")})


async def _follow(taken: Watch, desk: Desk, tail: Tail, progress: Progress) -> tuple[int, bool]:
    wanted = CYCLES if taken.until == "cycle" else ENDS
    seq, jobs, left = taken.after, 0, 0
    try:
        async with asyncio.timeout(taken.wait_s):
            async for lines in tail.follow(taken.after or None, taken.campaign, heartbeat_s=QUIET_S):
                if not lines:
                    owner = await to_thread.run_sync(desk.ledger.leases.owner, f"campaign {taken.campaign}")
                    left = left + 1 if owner is None else 0
                    if left == LEFT:
                        return seq, True
                    continue
                left = 0
                for line in lines:
                    seq = line.seq
                    if line.type == "JobFinished":
                        jobs += 1
                        await progress(jobs, None, f"{jobs} jobs have ended")
                    elif line.type in wanted:
                        await progress(jobs + 1, None, line.type)
                        return seq, True
    except TimeoutError:
        pass
    return seq, False
