"""Carrying out an operation: first the policy's leave, then its function, off the event loop."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from pydantic import ValidationError

from core.errors import ConfigError
from core.ids import content_hash
from core.policy import Action
from core.validation import config_error
from service.operations.desk import Desk
from service.operations.ids import OfCampaign
from service.operations.operation import Operation, Taken, Told

__all__ = ["perform", "permitted", "taken_of"]

THREADS = 3
"""Operations at once.  More only wait for one another: Python runs one at a time."""
_threads: RunVar[CapacityLimiter] = RunVar("threads of operations")


def taken_of(operation: Operation, given: Mapping[str, Any]) -> Taken:
    """The operation's input from plain data.  Raises ConfigError that names the field."""
    try:
        return operation.takes.model_validate(dict(given))
    except ValidationError as error:
        raise config_error(error, operation.takes, operation.name) from error


def permitted(operation: Operation, taken: Taken, desk: Desk) -> Desk:
    """The desk with the policy's leave.  Raises DeniedError, ApprovalNeededError."""
    if operation.action is Action.READ:
        return replace(desk, decision=desk.gate.look(desk.context()))
    facts = dict(operation.facts(taken, desk))
    given = taken.model_dump(mode="json")
    # a person's yes is to exactly this input
    details = {"operation": operation.name, "input": content_hash(given), **facts.pop("details", {})}
    if isinstance(taken, OfCampaign):
        details["campaign"] = taken.campaign
    context = desk.context(details=details, **facts)
    return replace(desk, decision=desk.gate.require(operation.action, context, request=desk.request))


async def perform(operation: Operation, taken: Taken, desk: Desk) -> Told:
    """What came of it.  Raises RatchetError.

    A plain function runs in a thread, an async one on the loop; both may be cancelled only before they begin.
    """
    if inspect.iscoroutinefunction(operation.function):
        desk = await to_thread.run_sync(permitted, operation, taken, desk, limiter=_limiter())
        answer = await operation.function(taken, desk)
    else:
        answer = await to_thread.run_sync(_permitted_and_done, operation, taken, desk, limiter=_limiter())
    if not isinstance(answer, operation.answers):
        raise ConfigError(f"{operation.name} answered {type(answer).__name__}")
    return answer


def _permitted_and_done(operation: Operation, taken: Taken, desk: Desk) -> Any:
    return operation.function(taken, permitted(operation, taken, desk))


def _limiter() -> CapacityLimiter:
    """That of the running event loop."""
    limiter = _threads.get(None)
    if limiter is None:
        limiter = CapacityLimiter(THREADS)
        _threads.set(limiter)
    return limiter
