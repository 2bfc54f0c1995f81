"""The prompts that clients are offered; their texts are files of `prompts/client/`."""

from __future__ import annotations

import re

from mcp_types import GetPromptResult, Prompt, PromptArgument, PromptMessage, TextContent

import prompts
from core.errors import ConfigError, NotFoundError, nearest

__all__ = ["get", "offered"]

FOLDER = "client/"
CAMPAIGN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")


def offered() -> list[Prompt]:
    """All of them; every variable of a file is an argument that must be given."""
    found = []
    for name in _names():
        file = prompts.load(FOLDER + name)
        arguments = [PromptArgument(name=variable, required=True) for variable in file.variables]
        found.append(Prompt(name=name, description=file.description, arguments=arguments))
    return found


def get(name: str, arguments: dict[str, str]) -> GetPromptResult:
    """The prompt as one message.  Raises NotFoundError, and ConfigError for a wrong argument."""
    if name not in _names():
        raise NotFoundError(f"there is no prompt {name!r}", where="prompts/get", hint=nearest(name, _names()))
    campaign = arguments.get("campaign")
    if campaign is not None and not CAMPAIGN.fullmatch(campaign):
        raise ConfigError("campaign is no id", where=f"prompts/get {name}", hint="such as breast-cancer-2")
    file = prompts.load(FOLDER + name)
    rendered = prompts.render(FOLDER + name, **arguments)
    message = PromptMessage(role="user", content=TextContent(text=f"{rendered.system}\n\n{rendered.user}"))
    return GetPromptResult(description=file.description, messages=[message])


def _names() -> list[str]:
    return [name.removeprefix(FOLDER) for name in prompts.names() if name.startswith(FOLDER)]
