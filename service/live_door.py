"""What the command line hands in for a live service: leave by the policy, the yes of who typed it, the alert."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.campaign import Campaign
from core.deployment import DeploymentState
from core.policy import Action, Decision
from graph.live_campaign import LiveDoor
from service.output import Output
from service.policy import Gate, local_context

__all__ = ["live_door"]


def live_door(
    gate: Gate, campaign: Campaign, output: Output, *, approved: tuple[str, ...] = (), keep: bool = False
) -> LiveDoor | None:
    """The door of a campaign of kind `live`; None for another.  `approved` are opportunities that the person named."""
    if campaign.live is None:
        return None

    def leave(action: Action, facts: Mapping[str, Any], yes: str) -> Decision:
        return gate.decide_typed(action, local_context(**facts), approved=yes)

    def alert(state: DeploymentState) -> None:
        output.say(f"ROLLED BACK  {state.deployment.id}: {state.reason}")

    return LiveDoor(leave=leave, approved=approved, alert=alert, keep=keep)
