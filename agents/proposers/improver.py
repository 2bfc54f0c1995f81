"""Improvements of a live service: a draft for each opportunity, by rules where one fits, else by a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from agents.live.generation.drafting import draft_for
from agents.proposers.planted import is_planting
from agents.registry import proposer
from agents.roles import Case, Kit, Proposer
from core.drafts import ImprovementDraft, NeedsModel
from core.live_events import ImprovementNotDrafted
from core.records import Proposal

__all__ = ["improver"]


@proposer("improver")
def improver(most: Annotated[int, Field(ge=1, le=100)] = 12) -> Proposer:
    """Drafts for the first opportunities of the focus, until as many as the direction's jobs are made or `most` were
    looked at.

    One file is changed by one draft a cycle: two would overwrite each other, and the second opportunity is found again
    in the telemetry of the changed service, if it is still one.
    """

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        assert kit.live is not None
        assert case.direction is not None
        if is_planting(case):
            return []
        code, made, taken = kit.live.code(), list[Proposal](), set[str]()
        known = {one.id: one for one in case.opportunities}
        refused = [proposal.files for proposal, told in case.improvements if told.status != "completed"]
        for opportunity in [known[name] for name in case.direction.focus if name in known][:most]:
            if len(made) >= max(case.direction.jobs, 1):
                break
            if opportunity.file in taken:
                continue
            draft = await draft_for(opportunity, code, kit)
            if isinstance(draft, NeedsModel):
                kit.emit(
                    ImprovementNotDrafted(
                        campaign_id=case.campaign_id,
                        cycle=case.cycle,
                        opportunity_id=opportunity.id,
                        reason=draft.reason,
                    )
                )
                continue
            if taken & set(draft.files):
                continue
            proposal = _proposal(case, kit, draft, opportunity.kind)
            if proposal.files not in refused:
                made.append(proposal)
                taken |= set(draft.files)
        return made

    return propose


def _proposal(case: Case, kit: Kit, draft: ImprovementDraft, kind: str) -> Proposal:
    assert kit.live is not None
    return case.propose_files(
        "improver",
        "code",
        draft.files,
        draft.reason,
        operator=kind,
        opportunity=draft.opportunity_id,
        made_from=kit.live.hashes(list(draft.files)),
        parts=draft.transformations,
        assumes=draft.assumes,
        source=draft.source,
    )
