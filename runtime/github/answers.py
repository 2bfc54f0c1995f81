"""What GitHub answers, as far as it is used here; what does not fit is not believed."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import GitHubAnswerError

__all__ = ["Commit", "Named", "Pull", "Ref", "Repo", "Tree", "TreeEntry", "read", "read_list"]

SHA = r"^[0-9a-f]{40}([0-9a-f]{24})?$"
M = TypeVar("M", bound=BaseModel)


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Named(_Answer):
    """Anything with the name of its content."""

    sha: str = Field(pattern=SHA)


class Ref(_Answer):
    ref: str
    object: Named


class Commit(Named):
    tree: Named
    message: str
    parents: tuple[Named, ...]


class TreeEntry(_Answer):
    path: str
    mode: str
    type: str
    sha: str = ""


class Tree(Named):
    tree: tuple[TreeEntry, ...] = ()
    truncated: bool = False


class Repo(_Answer):
    full_name: str = Field(pattern=r"^[^/\s]+/[^/\s]+$")
    default_branch: str
    archived: bool = False


class _Head(_Answer):
    ref: str
    label: str | None = None


class _Label(_Answer):
    name: str = ""


class Pull(_Answer):
    number: int = Field(gt=0)
    html_url: str
    state: str
    merged_at: str | None = None
    head: _Head
    labels: tuple[_Label, ...] = ()


def read(kind: type[M], told: Any) -> M:
    """`told` as a `kind`.  Raises GitHubAnswerError."""
    try:
        return kind.model_validate(told)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise GitHubAnswerError(f"GitHub's answer is no {kind.__name__.lower()}: {where}: {first['msg']}") from error


def read_list(kind: type[M], told: Any) -> list[M]:
    """`told` as a list of `kind`.  Raises GitHubAnswerError."""
    if not isinstance(told, list):
        raise GitHubAnswerError(f"GitHub's answer is no list of {kind.__name__.lower()}s")
    return [read(kind, one) for one in told]
