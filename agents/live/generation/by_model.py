"""A draft that a language model writes."""

from __future__ import annotations

from collections.abc import Sequence

from agents.asking import ask
from agents.live.generation.reply import FORM, read_reply
from agents.live.generation.service import ServiceCode
from agents.live.generation.telling import code_of, evidence_of, goals_of
from agents.roles import Kit
from core.campaign import ModelPlan
from core.drafts import ImprovementDraft, NeedsModel
from core.errors import PatchError
from core.improvement import ImprovementOpportunity
from core.models import TextAnswer

__all__ = ["PROMPT", "draft_by_model", "model_plan"]

PROMPT = "proposer/improvement"


def model_plan(plan: ModelPlan) -> ModelPlan:
    """The plan of a campaign's model with what is asked of it here: 60 s a try, three tries, 2 and 4 s between them.

    Breaker, meter and caps are those of every seat.
    """
    return plan.model_copy(update={"temperature": 0.1, "timeout_s": 60.0, "retries": 2, "first_pause_s": 2.0})


async def draft_by_model(
    opportunity: ImprovementOpportunity, service: ServiceCode, kit: Kit, lessons: Sequence[str] = ()
) -> ImprovementDraft | NeedsModel:
    """The draft of the seat's model, or why there is none.  Reads nothing from disk, runs nothing.

    A reply that cannot be used is sent back with what is wrong, as often as the plan allows.  Raises ConfigError for a
    wrong prompt only.
    """
    answer, why = await ask(
        kit,
        PROMPT,
        TextAnswer,
        lambda told: _faults(told, service),
        goals=goals_of(opportunity),
        architecture=service.architecture(),
        requirement=opportunity.requirement,
        evidence=evidence_of(opportunity, lessons),
        code=code_of(opportunity, service),
        files="\n".join(service.changeable),
    )
    if answer is None:
        return NeedsModel(opportunity_id=opportunity.id, reason=why)
    files = read_reply(answer.text, service)
    reason = f"a model changed {', '.join(sorted(files))} against {opportunity.kind} in {opportunity.component}"
    return ImprovementDraft.make(opportunity.id, files, "model", reason)


def _faults(told: TextAnswer, service: ServiceCode) -> list[str]:
    try:
        read_reply(told.text, service)
    except PatchError as error:
        return [f"{error.where}: {error.what}. {error.hint or FORM}"]
    return []
