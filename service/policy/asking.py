"""Who asks: the person at this machine's command line, or somebody at a network door."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from typing import Any

from core.policy import CAPABILITIES, Action, Decision, PolicyContext
from service.policy.gate import Gate

__all__ = ["TYPED", "ask_locally", "capabilities_of", "local_context"]

TYPED = "typed at the command line"
"""The yes of whoever typed exactly this."""

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
    """Leave for what the person at this machine's command line has just typed.

    Where only the risk would ask a person, their command is the yes; what a rule itself wants asked is asked.
    Raises DeniedError, ApprovalNeededError.
    """
    context = local_context(**facts)
    foreseen = gate.policy.decide(action, context)
    if foreseen.answer == "ask" and not gate.policy.asks_by_rule(foreseen, context):
        context = context.model_copy(update={"approval_id": TYPED})
    return gate.require(action, context)
