"""A language model looks again at what the rules accept.  It can only be stricter than they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from agents import briefing, guards
from agents.answers import ReviewAnswer
from agents.asking import ask
from agents.registry import make, supervisor
from agents.roles import Case, Kit, Supervisor
from core.campaign import Use
from core.errors import ConfigError
from core.records import Proposal, Ruling
from search.constraints import violations
from search.rules import broken

__all__ = ["REJECTIONS", "reviewed"]

REJECTIONS = 2
"""So many proposals of a cycle a review may reject."""


@supervisor("reviewed")
def reviewed(rules: str = "gatekeeper", rejections: Annotated[int, Field(ge=0)] = REJECTIONS) -> Supervisor:
    """The ruling of `rules`; one that lets an experiment run is shown to the model, which may reject or amend it.

    Both need finished trials as evidence, and an amended proposal must pass the rules as well.  What the rules reject
    stays rejected: no model is asked about it.  After `rejections` in a cycle the rules rule alone, so that no model,
    whatever it has read, brings a campaign to a halt.
    """
    by_rules: Supervisor = make("supervisor", Use(use=rules), Path())

    async def rule(proposal: Proposal, case: Case, kit: Kit) -> Ruling:
        ruling = await by_rules(proposal, case, kit)
        if ruling.decision not in ("accept", "amend") or proposal.kind != "experiment":
            return ruling
        spent = sum(one.rule == "review" and one.decision == "reject" for one in case.rulings)
        if spent >= rejections:
            return _noted(ruling, f"not reviewed: {spent} were rejected in this cycle")
        accepted = ruling.amended or proposal
        votes = [v for v in case.votes if v.proposal_id == proposal.id]
        answer, why = await ask(
            kit,
            "supervisor/review",
            ReviewAnswer,
            lambda told: _faults(told, accepted, case),
            facts=briefing.facts(case),
            history=briefing.history(case),
            proposal=briefing.proposal_line(accepted, case),
            votes="\n".join(
                f"{v.voter} {v.score:+.2f} (confidence {v.confidence:.2f}): {briefing.one_line(v.reason, 200)}"
                for v in votes
            ),
        )
        if answer is None:
            return _noted(ruling, f"not reviewed: {why}")
        reason = f"{answer.reason} (evidence: {', '.join(answer.evidence)})"
        if answer.verdict == "reject":
            return Ruling(
                proposal_id=proposal.id,
                decision="reject",
                risk=ruling.risk,
                rule="review",
                reason=reason,
                source="model",
            )
        if answer.verdict == "amend":
            amended = _amended(answer, accepted, case)
            again = await by_rules(amended, case, kit)
            if again.decision != "accept":
                return _noted(ruling, f"the review's amendment was refused, {again.rule}: {again.reason}")
            return Ruling(
                proposal_id=proposal.id,
                decision="amend",
                risk=again.risk,
                rule="review",
                reason=reason,
                amended=amended,
                source="model",
            )
        return ruling.model_copy(update={"reason": f"{ruling.reason}; reviewed: {answer.reason}", "source": "model"})

    return rule


def _faults(answer: ReviewAnswer, accepted: Proposal, case: Case) -> list[str]:
    said = [accepted.rationale, *(v.reason for v in case.votes if v.proposal_id == accepted.id)]
    told = guards.unknown_trials(answer.evidence, case) + guards.judged(answer.reason, case, said)
    told += guards.false_statements(answer.claims, case)
    if answer.verdict != "stand" and not answer.evidence:
        told.append(f"to {answer.verdict} needs evidence: ids of finished trials that speak against the proposal")
    if answer.verdict == "amend":
        told += _faults_of_changes(answer, accepted, case)
    return told


def _faults_of_changes(answer: ReviewAnswer, accepted: Proposal, case: Case) -> list[str]:
    if not answer.changes:
        return ["changes: to amend needs changes"]
    try:
        config = _amended(answer, accepted, case).config
    except ConfigError as error:
        return [f"changes: {error.what}; {error.hint}"]
    told = [f"changes: forbidden: {region.reason or region}" for region in violations(config, case.forbidden())[:1]]
    told += [f"changes: {unkept.reason}" for unkept in broken(config, case.rules())[:1]]
    if config == accepted.config:
        told.append("changes: they change nothing; let the proposal stand")
    elif case.nearest_gap(config) == 0:
        told.append("changes: exactly this was tried before")
    return told


def _amended(answer: ReviewAnswer, accepted: Proposal, case: Case) -> Proposal:
    """The proposal with the changes, under its id.  Raises ConfigError for what lies outside the space."""
    config = case.space.completed({**accepted.config, **answer.changes})
    score, metrics = case.oracle().expect(config)
    return accepted.model_copy(update={"config": config, "expected": score, "expected_metrics": metrics})


def _noted(ruling: Ruling, note: str) -> Ruling:
    return ruling.model_copy(update={"reason": f"{ruling.reason} ({note})"})
