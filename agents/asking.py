"""How a role asks its language model: by prompt file, with its checks, and without trouble for the cycle."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from agents.roles import Kit
from core.errors import ModelError
from core.models import Check
from prompts import render

__all__ = ["NO_MODEL", "ask"]

A = TypeVar("A", bound=BaseModel)

NO_MODEL = "there is no model"
"""Why a seat that could ask one has no answer: neither it, its role nor the campaign names one."""


async def ask(
    kit: Kit, prompt: str | Path, answer: type[A], check: Check | None = None, **variables: Any
) -> tuple[A | None, str]:
    """The valid answer of the seat's model; or None and why there is none, and the role's rules decide.

    `prompt` is the name of one that ships, or the file of one's own.  Raises ConfigError for a wrong prompt only.
    """
    if kit.model is None:
        return None, NO_MODEL
    try:
        return await kit.model.ask(render(prompt, **variables), answer, check), ""
    except ModelError as error:
        return None, error.what
