"""Voters on improvements of a live service: what it is worth, whether its checks pass, how such ones ended before."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from agents.registry import voter
from agents.roles import Case, Kit, Voter
from core.drafts import ImprovementDraft, Validation
from core.events import ImprovementValidated
from core.ids import content_hash
from core.improvement import ImprovementOpportunity
from core.records import Proposal, Vote
from runtime.checks.validating import validate
from search.draft_score import draft_quality, draft_risk
from search.improvement_record import learned_threshold, records_of

__all__ = ["content_of", "impact", "improvement_record", "validation"]

SCORES = {"critical": 1.0, "high": 0.7, "medium": 0.3, "low": 0.0}
PRIOR = 2
"""Improvements of a kind that count as much as what was seen of it: half of them stayed."""


@voter("impact", kinds=("code",))
def impact() -> Voter:
    """Approves by the priority that the impact score of the opportunity gives it: critical 1, high 0.7, medium 0.3,
    low 0; as sure as the opportunity is."""

    async def vote(proposal: Proposal, case: Case, kit: Kit) -> Vote:
        found = opportunity_of(proposal, case.opportunities)
        if found is None:
            reason = "no opportunity of this cycle stands behind it"
            return Vote(proposal_id=proposal.id, voter="impact", score=0, confidence=0.1, reason=reason)
        return Vote(
            proposal_id=proposal.id,
            voter="impact",
            score=SCORES[found.priority],
            confidence=found.confidence,
            reason=f"impact score {found.impact:,.0f} ({found.priority}): {found.kind}, {found.severity}",
        )

    return vote


@voter("validation", kinds=("code",))
def validation() -> Voter:
    """Runs all checks of the change in a copy of the service, and vetoes one that fails any.

    score = (q − t) / (1 − t) with q the quality of search.draft_score and t IMPROVEMENT_QUALITY_THRESHOLD, stricter
    where improvements of its kind were taken back (search.improvement_record); below the threshold, and above
    IMPROVEMENT_RISK_TOLERANCE, it is a veto too.  Every error is told with the event.
    """

    async def vote(proposal: Proposal, case: Case, kit: Kit) -> Vote:
        told = case.validated.get(proposal.id) or await _validated(proposal, case, kit)
        assert kit.live is not None
        limits, sure = kit.live.settings, {"proposal_id": proposal.id, "voter": "validation", "confidence": 1.0}
        if not told.validation.ok:
            errors = told.validation.errors
            return Vote(score=-1, reason=f"{len(errors)} errors: {'; '.join(errors)[:600]}", **sure)
        measured = f"quality {told.quality:.3f}, risk {told.risk:.3f}"
        records = records_of((before.operator, ended) for before, ended in case.improvements)
        threshold = learned_threshold(limits.quality_threshold, records.get(proposal.operator))
        if told.quality < threshold:
            return Vote(score=-1, reason=f"{measured}: below the threshold of {threshold:.3g}", **sure)
        if told.risk > limits.risk_tolerance:
            return Vote(score=-1, reason=f"{measured}: above the tolerance of {limits.risk_tolerance:g}", **sure)
        over = (told.quality - threshold) / max(1e-9, 1 - threshold)
        return Vote(score=min(1.0, over), reason=f"all checks passed; {measured}", **sure)

    return vote


@voter("improvement_record", kinds=("code",))
def improvement_record() -> Voter:
    """How improvements of this kind ended before: score = 2 (c + 1) / (n + 2) − 1 for c of n that stayed.

    Exactly what was taken back before is vetoed.
    """

    async def vote(proposal: Proposal, case: Case, kit: Kit) -> Vote:
        past = [(before, told) for before, told in case.improvements if told.status in ("completed", "rolled_back")]
        if any(told.status == "rolled_back" and before.files == proposal.files for before, told in past):
            reason = "exactly this was live before, and was taken back"
            return Vote(proposal_id=proposal.id, voter="improvement_record", score=-1, confidence=1, reason=reason)
        alike = [told for before, told in past if before.operator == proposal.operator]
        stayed = sum(told.status == "completed" for told in alike)
        return Vote(
            proposal_id=proposal.id,
            voter="improvement_record",
            score=2 * (stayed + PRIOR / 2) / (len(alike) + PRIOR) - 1,
            confidence=max(0.1, len(alike) / (len(alike) + PRIOR)),
            reason=f"{stayed} of {len(alike)} improvements of the kind {proposal.operator} stayed",
        )

    return vote


def opportunity_of(
    proposal: Proposal, opportunities: Sequence[ImprovementOpportunity]
) -> ImprovementOpportunity | None:
    """The opportunity that it is for; None for one that was planted."""
    return next((one for one in opportunities if one.id == proposal.opportunity), None)


def content_of(proposal: Proposal) -> str:
    """The hash of what is checked, and may then go live."""
    return content_hash(proposal.files)


async def _validated(proposal: Proposal, case: Case, kit: Kit) -> ImprovementValidated:
    assert kit.live is not None
    live, source = kit.live, "model" if proposal.source == "model" else "rules"
    draft = ImprovementDraft.make(
        proposal.opportunity,
        proposal.files,
        source,  # type: ignore[arg-type]
        proposal.rationale,
        transformations=proposal.parts,
        assumes=proposal.assumes,
    )
    root = live.service.releases.tree(live.service.releases.current())
    found: Validation = await asyncio.to_thread(
        validate, draft, root, live.plan.tests, live.may_change, live.checks, trusted=live.trusted
    )
    opportunity = opportunity_of(proposal, case.opportunities)
    told = ImprovementValidated(
        campaign_id=case.campaign_id,
        cycle=case.cycle,
        proposal_id=proposal.id,
        content=content_of(proposal),
        validation=found,
        quality=draft_quality(found),
        risk=draft_risk(draft, found, opportunity.risk if opportunity else "low"),
    )
    kit.emit(told)
    return told
