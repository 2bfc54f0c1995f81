"""Improvements of a live service: a draft for each opportunity, by rules where one fits, else by a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from agents.live.generation.drafting import draft_for
from agents.live.generation.service import ServiceCode
from agents.live.lessons import lessons_of
from agents.proposers.planted import is_planting
from agents.registry import proposer
from agents.roles import Case, Kit, Proposer
from core.drafts import ImprovementDraft
from core.events import ImprovementNotDrafted
from core.improvement import ImprovementOpportunity
from core.records import Proposal
from search.impact import ImprovementQueue

__all__ = ["improver"]


@proposer("improver")
def improver(most: Annotated[int, Field(ge=1, le=100)] = 12) -> Proposer:
    """Drafts for the first opportunities, as many as the direction's jobs and MAX_CONCURRENT_IMPROVEMENTS allow; of
    `most` at most.  The rest waits: it is found again, if it still is one, in the telemetry of the changed service.

    One file is changed by one draft a cycle: two would overwrite each other.
    """

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        assert kit.live is not None
        assert case.direction is not None
        if is_planting(case):
            return []
        code, made, changed = kit.live.code(), list[Proposal](), set[str]()
        refused = [proposal.files for proposal, told in case.improvements if told.status != "completed"]
        limit = max(1, min(case.direction.jobs, kit.live.settings.max_concurrent))
        queue = ImprovementQueue(limit).found(case.opportunities[:most])
        for one in queue.waiting:
            queue = queue.approve(one.id)  # what touches all tenants is asked about when it is ruled on
        while True:
            started, queue = queue.start()
            if not started:
                break
            for opportunity in started:
                proposal = None
                if opportunity.file not in changed:
                    proposal = await _drafted(opportunity, code, case, kit)
                if proposal is None or changed & set(proposal.files) or proposal.files in refused:
                    queue = queue.finish(opportunity.id)
                    continue
                made.append(proposal)
                changed |= set(proposal.files)
        return made

    return propose


async def _drafted(opportunity: ImprovementOpportunity, code: ServiceCode, case: Case, kit: Kit) -> Proposal | None:
    """The proposal of a draft; None, and told of, where nothing can be drafted."""
    draft = await draft_for(opportunity, code, kit, lessons_of(opportunity.kind, case.lessons))
    if isinstance(draft, ImprovementDraft):
        return _proposal(case, kit, draft, opportunity.kind)
    kit.emit(
        ImprovementNotDrafted(
            campaign_id=case.campaign_id, cycle=case.cycle, opportunity_id=opportunity.id, reason=draft.reason
        )
    )
    return None


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
