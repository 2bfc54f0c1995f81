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
from service.policy.asking import TYPED

__all__ = ["live_door"]


def live_door(
    gate: Gate, campaign: Campaign, output: Output, *, approved: tuple[str, ...] = (), keep: bool = False
) -> LiveDoor | None:
    """The door of a campaign of kind `live`; None for another.  `approved` are opportunities that the person named.

    Where only the risk would ask a person, the command that they typed is the yes, but not for what touches all
    tenants: that is asked for by name.  By schedule or alarm nobody typed anything.
    """
    if campaign.live is None:
        return None
    by_hand = campaign.live.trigger == "hand"

    def leave(action: Action, facts: Mapping[str, Any]) -> Decision:
        context = local_context(**facts)
        foreseen = gate.policy.decide(action, context)
        named = facts.get("details", {}).get("opportunity", "") in approved
        typed = by_hand and context.scope == "tenant" and not gate.policy.asks_by_rule(foreseen, context)
        if foreseen.answer == "ask" and (named or typed):
            context = context.model_copy(update={"approval_id": TYPED})
        return gate.decide(action, context)

    def alert(state: DeploymentState) -> None:
        output.say(f"ROLLED BACK  {state.deployment.id}: {state.reason}")

    return LiveDoor(
        leave=leave, approved_by=lambda opportunity: TYPED if opportunity in approved else "", alert=alert, keep=keep
    )
