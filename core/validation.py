"""A pydantic error as one of ours: which key, what it holds, and what it may hold."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, RootModel, ValidationError

from core.errors import ConfigError, nearest

__all__ = ["config_error"]

EXAMPLE = "`python run_graph.py init` writes an example with every key"
OF_CODE = "campaigns/log_analysis/campaign.yaml is an example; docs/evolution.md tells of every key"


def config_error(error: ValidationError, model: type[BaseModel], where: str) -> ConfigError:
    """The first fault of `error` (met while reading a `model` from `where`), and how many more there are.

    An unknown key comes before all others: misspelt, it is also what makes another one missing.
    """
    faults = sorted(error.errors(include_url=False), key=lambda fault: fault["type"] != "extra_forbidden")
    first = faults[0]
    keys, at = _walk(model, first["loc"])
    path = ".".join(keys) if keys else "the whole"
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    context = first.get("ctx", {})
    match first["type"]:
        case "extra_forbidden":
            return ConfigError(f"unknown key {path!r}{more}", where=where, hint=nearest(keys[-1], _fields(at)))
        case "missing":
            hint = OF_CODE if keys[:1] == ["code"] else EXAMPLE
            return ConfigError(f"{path} is missing{more}", where=where, hint=hint)
        case "union_tag_not_found":
            tag = str(context["discriminator"]).strip("'")
            return ConfigError(f"{path}.{tag} is missing{more}", where=where, hint=f"known: {', '.join(_tags(at))}")
        case "union_tag_invalid":
            tag = str(context["discriminator"]).strip("'")
            value = str(context["tag"])
            return ConfigError(
                f"{path}.{tag} = {value!r} is not known{more}", where=where, hint=nearest(value, _tags(at))
            )
        case _:
            message = first["msg"].removeprefix("Value error, ")
            return ConfigError(f"{path} = {_short(first['input'])}: {message}{more}", where=where)


def _walk(model: Any, path: tuple[int | str, ...]) -> tuple[list[str], Any]:
    """The keys as they stand in the file, and the type at their end (the enclosing model for an unknown key).

    pydantic's path also names the member of a union by its tag, which stands nowhere in the file as a key.
    """
    at, keys = _plain(model), []
    for part in path:
        if part in _tags(at):
            at = next(member for member in get_args(at) if part in _own_tags(member))
            continue
        keys.append(str(part))
        if _is_model(at):
            field = at.model_fields.get(str(part))
            at = at if field is None else _plain(field.annotation)
        elif get_origin(at) in (dict, Mapping):
            at = _plain(get_args(at)[1])
        elif get_origin(at) in (tuple, list):
            at = _plain(get_args(at)[0])
    return keys, at


def _plain(annotation: Any) -> Any:
    """Without `Annotated`, `| None` and the shell of a root model."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not NoneType]
        return _plain(members[0]) if len(members) == 1 else annotation
    if _is_model(annotation) and issubclass(annotation, RootModel):
        return _plain(annotation.model_fields["root"].annotation)
    return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _fields(at: Any) -> list[str]:
    return list(at.model_fields) if _is_model(at) else []


def _tags(at: Any) -> list[str]:
    """The tags of a union of models that are told apart by a literal field."""
    return [tag for member in get_args(at) for tag in _own_tags(member)] if get_origin(at) in (Union, UnionType) else []


def _own_tags(member: Any) -> list[str]:
    fields = member.model_fields.values() if _is_model(member) else ()
    return [
        str(tag) for field in fields if get_origin(field.annotation) is Literal for tag in get_args(field.annotation)
    ]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
