"""The gates of an improvement of a live service: nothing that fails one of them is put live."""

from __future__ import annotations

from typing import Any

from agents.roles import Case, Kit
from agents.voters.improvement import content_of, opportunity_of
from core.events import ImprovementValidated
from core.ids import content_hash
from core.policy import Action, RiskLevel
from core.records import Proposal, Ruling

__all__ = ["deployment_facts", "rule_improvement"]


async def rule_improvement(proposal: Proposal, case: Case, kit: Kit, min_tally: float) -> Ruling:
    """The gates, in order: paths, the code it was made from is still live, all checks passed on exactly this, not taken
    back before, vetoes, tally, improvements of this cycle, the policy (Action.DEPLOY).

    The risk is that of its checks.  What touches all tenants waits for a person, whatever else speaks for it.
    """
    assert kit.live is not None
    told = case.validated.get(proposal.id)
    risk = 1.0 if told is None else told.risk

    def reject(rule: str, reason: str) -> Ruling:
        return Ruling(proposal_id=proposal.id, decision="reject", risk=risk, rule=rule, reason=reason)

    if fault := _fault(proposal, case, kit, told):
        return reject(*fault)
    tally = next(t for t in case.tallies if t.proposal_id == proposal.id)
    if tally.vetoed_by:
        return reject("veto", f"vetoed by {', '.join(tally.vetoed_by)}")
    if tally.score < min_tally:
        return reject("tally", f"tally {tally.score:+.2f} is below {min_tally:+.2f}")
    given = sum(ruling.decision in ("accept", "amend") for ruling in case.rulings)
    allowed = case.direction.jobs if case.direction else 0
    if given >= allowed:
        return reject("budget", f"the {allowed} improvements of this cycle went to others with a better tally")
    decision = kit.live.leave(Action.DEPLOY, deployment_facts(proposal, kit), kit.live.approved_by(proposal))
    reason = f"tally {tally.score:+.2f}, risk {risk:.2f}; policy: {decision.reason}"
    if decision.answer == "denied":
        return reject("policy", f"{decision.rule}: {decision.reason}")
    if decision.answer == "ask":
        return Ruling(proposal_id=proposal.id, decision="ask", risk=risk, rule=decision.rule, reason=reason)
    return Ruling(proposal_id=proposal.id, decision="accept", risk=risk, rule="all gates passed", reason=reason)


def _fault(proposal: Proposal, case: Case, kit: Kit, told: ImprovementValidated | None) -> tuple[str, str] | None:
    """Rule and reason of the first gate that it fails by itself, whatever the votes say."""
    assert kit.live is not None
    if outside := [path for path in proposal.files if not kit.live.may_change(path)]:
        return "paths", f"{outside[0]} may not be changed"
    if kit.live.hashes(list(proposal.files)) != proposal.made_from:
        return "stale", "the service runs other code than it was made from"
    if told is None or told.content != content_of(proposal):
        return "unchecked", "its checks were not done"
    if not told.validation.ok:
        return "checks", f"{len(told.validation.errors)} errors: {'; '.join(told.validation.errors)[:600]}"
    if any(before.files == proposal.files and end.status == "rolled_back" for before, end in case.improvements):
        return "repeat", "exactly this was live before, and was taken back"
    return None


def deployment_facts(proposal: Proposal, kit: Kit) -> dict[str, Any]:
    """What the policy decides on; who asks is added by the door."""
    assert kit.live is not None
    told, opportunity = kit.validated.get(proposal.id), opportunity_of(proposal, kit.opportunities)
    risk: RiskLevel = "unknown" if told is None else "low" if told.risk <= kit.live.settings.risk_tolerance else "high"
    isolation = told.validation.isolation.removeprefix("level ") if told else ""
    return {
        "change_count": len(proposal.files),
        "risk_level": risk,
        "scope": "system" if opportunity is not None and opportunity.system_wide else "tenant",
        "autonomous": kit.live.trigger != "hand",
        "verified": told is not None and told.validation.ok,
        "isolation_level": int(isolation) if isolation.isdigit() and int(isolation) else None,
        "details": {
            "campaign": proposal.campaign_id,
            "proposal": proposal.id,
            "opportunity": proposal.opportunity,
            "files": sorted(proposal.files),
            "content": content_hash(proposal.files),
        },
    }
