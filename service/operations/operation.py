"""One operation: what it is called, who may do it, what it takes and answers, and how doors reach it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from core.policy import Action
from service.operations.desk import Desk

__all__ = ["Operation", "Taken", "Told", "no_facts"]


class Taken(BaseModel):
    """What an operation takes.  Fields that stand in its path are ids; unknown fields are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Told(BaseModel):
    """What an operation answers.  NaN and infinities are no JSON: null stands for them."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null")


def no_facts(_taken: Any, _desk: Desk) -> Mapping[str, Any]:
    """For an operation about which the policy needs to know nothing more than who asks."""
    return {}


@dataclass(frozen=True)
class Operation:
    """`function(taken, desk)`, plain or async, answers an instance of `answers`.

    name      `group.verb`
    action    what leave it needs; `facts(taken, desk)` are fields of the PolicyContext beside who asks
    method    GET changes nothing and takes everything from path and query; POST takes a JSON body
    path      of REST; names in braces are fields of `takes`
    tool      name of the MCP tool; None: no tool
    changes   whether a repetition would do it again: an idempotency key then makes it happen once
    errors    HTTP statuses beside those that every route may answer
    """

    name: str
    summary: str
    action: Action
    takes: type[Taken]
    answers: type[Told]
    function: Callable[[Any, Desk], Any]
    method: Literal["GET", "POST"]
    path: str
    status: int = 200
    tool: str | None = None
    changes: bool = False
    paginated: bool = False
    media_type: Literal["application/json", "text/html"] = "application/json"
    errors: tuple[int, ...] = ()
    facts: Callable[[Any, Desk], Mapping[str, Any]] = no_facts

    @property
    def group(self) -> str:
        return self.name.partition(".")[0]

    @property
    def route(self) -> str:
        return f"{self.method} {self.path}"
