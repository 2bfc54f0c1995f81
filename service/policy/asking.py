"""Who asks: the person at this machine's command line, or somebody at a network door."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from typing import Any

from core.policy import CAPABILITIES, Action, Decision, PolicyContext
from service.policy.gate import Gate

__all__ = ["ask_locally", "capabilities_of", "local_context"]

YES = frozenset({"1", "true", "yes", "on"})


def capabilities_of(environment: Mapping[str, str] = os.environ) -> frozenset[str]:
    """The capabilities that the environment opens; anything but 1, true, yes or on opens none."""
    return frozenset(name for name in CAPABILITIES if environment.get(name, "").strip().lower() in YES)


def local_context(*, route: str = "cli", **facts: Any) -> PolicyContext:
    """The context of the person at this machine's command line: an owner, by the name of their account.

    They hold every capability: those open doors to others, and whoever starts the program could set them.
    """
    try:
        actor = getpass.getuser()
    except (KeyError, OSError):
        actor = f"uid {os.getuid()}"
    who = {"actor": actor, "roles": ("owner",), "capabilities": frozenset(CAPABILITIES), "route": route}
    return PolicyContext.model_validate({**who, **facts})


def ask_locally(gate: Gate, action: Action, **facts: Any) -> Decision:
    """Leave for what the person at this machine's command line has just typed; audited, with the door `cli`.

    Raises DeniedError, ApprovalNeededError.
    """
    return gate.require_typed(action, local_context(**facts))
