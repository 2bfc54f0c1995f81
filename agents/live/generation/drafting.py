"""A draft for an opportunity: by rules where they can be sure, else by a model, else plainly none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from agents.live.generation.by_model import draft_by_model
from agents.live.generation.by_rules import draft_by_rules
from agents.live.generation.service import ServiceCode
from agents.roles import Kit
from core.drafts import ImprovementDraft, NeedsModel
from core.improvement import ImprovementOpportunity

__all__ = ["draft_for"]


async def draft_for(
    opportunity: ImprovementOpportunity, service: ServiceCode, kit: Kit, lessons: Sequence[str] = ()
) -> ImprovementDraft | NeedsModel:
    """Rules cost nothing and can be proven, so they come first; both reasons are told where neither gives a draft.

    `lessons` about improvements of its kind are told to the model.
    """
    by_rules = await asyncio.to_thread(draft_by_rules, opportunity, service)
    if isinstance(by_rules, ImprovementDraft):
        return by_rules
    by_model = await draft_by_model(opportunity, service, kit, lessons)
    if isinstance(by_model, ImprovementDraft):
        return by_model
    return NeedsModel(opportunity_id=opportunity.id, reason=f"{by_rules.reason}; {by_model.reason}")
