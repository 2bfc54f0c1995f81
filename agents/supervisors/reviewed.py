"""A language model looks again at what the rules accept.  It can only be stricter than they are."""

from __future__ import annotations

from pathlib import Path

from agents import briefing, guards
from agents.answers import ReviewAnswer
from agents.asking import ask
from agents.registry import make, supervisor
from agents.roles import Case, Kit, Supervisor
from core.campaign import Use
from core.records import Proposal, Ruling

__all__ = ["reviewed"]


@supervisor("reviewed")
def reviewed(rules: str = "gatekeeper") -> Supervisor:
    """The ruling of `rules`; one that lets an experiment run is shown to the model, which may reject it on evidence.

    What the rules reject stays rejected: no model is asked about it.
    """
    by_rules: Supervisor = make("supervisor", Use(use=rules), Path())

    async def rule(proposal: Proposal, case: Case, kit: Kit) -> Ruling:
        ruling = await by_rules(proposal, case, kit)
        if ruling.decision not in ("accept", "amend") or proposal.kind != "experiment":
            return ruling

        def faults(answer: ReviewAnswer) -> list[str]:
            told = guards.unknown_ids(answer.evidence, case) + guards.judged(answer.reason, case)
            if answer.verdict == "reject" and not answer.evidence:
                told.append("a rejection needs evidence: ids of trials that speak against it")
            return told

        votes = [v for v in case.votes if v.proposal_id == proposal.id]
        answer, why = await ask(
            kit,
            "supervisor/review",
            ReviewAnswer,
            faults,
            facts=briefing.facts(case),
            history=briefing.history(case),
            proposal=briefing.proposal_line(ruling.amended or proposal, case),
            votes="\n".join(f"{v.voter} {v.score:+.2f} (confidence {v.confidence:.2f}): {v.reason}" for v in votes),
        )
        if answer is None:
            return ruling.model_copy(update={"reason": f"{ruling.reason} (not reviewed: {why})"})
        if answer.verdict == "stand":
            return ruling.model_copy(
                update={"reason": f"{ruling.reason}; reviewed: {answer.reason}", "source": "model"}
            )
        return Ruling(
            proposal_id=proposal.id,
            decision="reject",
            risk=ruling.risk,
            rule="review",
            reason=f"{answer.reason} (evidence: {', '.join(answer.evidence)})",
            source="model",
        )

    return rule
