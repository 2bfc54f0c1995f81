"""The definition of a campaign from Python's words, checked as a campaign file is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from core.campaign import Campaign as Definition
from core.errors import ConfigError
from core.validation import config_error

__all__ = ["define", "read", "with_budget"]

NOT_RUN = ("ask", "tell")
"""The command of a campaign whose trials the caller measures: it is never started."""


def define(
    name: str,
    objective: Callable[..., Any] | None,
    functions: Path,
    space: Mapping[str, Any],
    baseline: Mapping[str, Any] | None,
    metric: str,
    goal: str,
    options: Mapping[str, Any],
) -> Definition:
    """Raises ConfigError naming the argument that is wrong."""
    from graph.loading import check_campaign, space_of

    where = f"Campaign({name!r})"
    if objective is not None and not callable(objective):
        raise ConfigError("the objective is no function", where=where, hint="objective=train, and metric='…' its name")
    if objective is not None and "command" in options:
        raise ConfigError("objective and command are both given", where=where, hint="give one of them")
    data: dict[str, Any] = {
        "name": name,
        "objective": {"metric": metric, "goal": goal},
        "space": {key: _plain(parameter) for key, parameter in space.items()},
        "baseline": dict(baseline or {}),
        "command": list(NOT_RUN),
        "here": str(Path.cwd()),
        **{key: _plain(value) for key, value in options.items()},
    }
    if objective is not None:
        from runtime.functions import command_of, keep_function

        data["command"] = list(command_of(keep_function(objective, functions, metric)))
    try:
        definition = Definition.model_validate(data)
    except ValidationError as error:
        raise config_error(error, Definition, where) from error
    if baseline is None and definition.kind == "experiment":
        definition = definition.model_copy(update={"baseline": space_of(definition, where).defaults()})
    check_campaign(definition, where)
    return definition


def read(path: Path, overrides: Mapping[str, Any]) -> Definition:
    """The definition in a file, with overrides by key."""
    from graph.loading import load_campaign

    return load_campaign(path, {key: _plain(value) for key, value in overrides.items()})


def with_budget(definition: Definition, cycles: int | None, until: str | None, time: str | float | None) -> Definition:
    """The definition with what this run may take.  Raises ConfigError."""
    data = definition.model_dump(mode="json")
    given = {"cycles": cycles, "time_s": time}
    data["budget"] |= {key: value for key, value in given.items() if value is not None}
    if until is not None:
        data["until"] = until
    try:
        return Definition.model_validate(data)
    except ValidationError as error:
        raise config_error(error, Definition, "run") from error


def _plain(value: Any) -> Any:
    """Plain data: models of ours as what a file would say."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True) | (
            {"type": value.type} if hasattr(value, "type") else {}
        )
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value
