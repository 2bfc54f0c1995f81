"""What was decided: every proposal with its votes, its ruling and what came of it; why one was made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from core.errors import NotFoundError
from core.records import PATCH
from memory.artifacts import Artifacts
from memory.history import Cycle, History
from service.explain import Explanations
from service.operations.desk import Desk
from service.operations.ids import CampaignId, Number, OfCampaign, Paged, ProposalId
from service.operations.operation import Told
from service.operations.pages import page

__all__ = [
    "Decided",
    "DecisionPage",
    "DecisionsOf",
    "Explained",
    "WhyOf",
    "decisions",
    "explained",
    "proposal_of_job",
]


class VoteTold(Told):
    voter: str
    score: float
    confidence: float
    weight: float | None
    reason: str
    source: str


class Decided(Told):
    """One proposal: who made it, how it was voted on and ruled, and the value that it gave."""

    proposal: str
    cycle: int
    proposer: str
    kind: str
    rationale: str
    config: dict[str, Any]
    votes: list[VoteTold]
    tally: float | None
    vetoed_by: list[str]
    ruling: str | None = Field(description="accept, amend, reject or ask; null: not voted on, or not yet")
    rule: str | None
    reason: str
    risk: float | None
    job: str | None
    status: str | None
    value: float | None = Field(description="of the metric, in its own direction")


class DecisionPage(Told):
    campaign: str
    decisions: list[Decided]
    next: str | None = None


class DecisionsOf(Paged):
    """The proposals of a campaign, or of one of its cycles, in the order of the rulings."""

    campaign: CampaignId
    cycle: Number | None = None


def decisions(taken: DecisionsOf, desk: Desk) -> DecisionPage:
    stored = desk.ledger.campaign(taken.campaign)
    objective = stored.definition.objective
    with desk.histories.of(stored.id) as history:
        known = [
            (cycle, proposal)
            for number, cycle in sorted(history.cycles.items())
            if taken.cycle in (None, number)
            for proposal in _in_order(cycle)
        ]
        chosen, following = page(known, lambda one: one[1], taken.limit, taken.after)
        rows = [_row(cycle, proposal, objective.value) for cycle, proposal in chosen]
    return DecisionPage.model_validate({"campaign": stored.id, "decisions": rows, "next": following})


class WhyOf(OfCampaign):
    proposal: ProposalId


class Explained(Told):
    """Why a proposal was made, how it was judged and what came of it: what led to it, whole."""

    proposal: str
    campaign: str
    cycle: int
    direction: dict[str, Any] | None
    proposer: str
    source: str
    rationale: str
    kind: str
    config: dict[str, Any]
    files: list[str]
    operator: str
    parts: list[str]
    sharpened: dict[str, Any] | None
    objective: dict[str, str]
    parents: list[dict[str, Any]]
    memories: list[dict[str, str | None]]
    guidance: list[Any]
    votes: list[dict[str, Any]]
    tally: dict[str, Any] | None
    ruling: dict[str, Any] | None
    same_as: str | None
    outcome: dict[str, Any] | None
    applied: dict[str, Any] | None
    calibration: dict[str, Any] | None
    became_best: dict[str, Any]
    models: list[dict[str, Any]]
    patch: str | None = Field(description="the diff of a candidate of code")


def explained(taken: WhyOf, desk: Desk) -> Explained:
    stored = desk.ledger.campaign(taken.campaign)
    with desk.histories.of(stored.id) as history:
        if not any(taken.proposal in cycle.proposals for cycle in history.cycles.values()):
            raise NotFoundError(
                f"{stored.id} has no proposal {taken.proposal}", where="proposal", hint="the decisions list them"
            )
        told = Explanations(desk.ledger, stored, history).of(taken.proposal)
    return Explained.model_validate({**told, "patch": _patch(desk.folder.artifacts, told["config"])})


def proposal_of_job(history: History, job_id: str) -> str:
    """The proposal that a job was run for.  Raises NotFoundError for a job of none, such as the baseline's."""
    for experiment in history.experiments():
        if experiment.outcome.job_id == job_id:
            return experiment.proposal.id
    purpose = history.jobs[job_id].purpose if job_id in history.jobs else "an unfinished proposal"
    raise NotFoundError(
        f"job {job_id} belongs to no finished proposal ({purpose})",
        where=history.campaign_id,
        hint="`python run_graph.py history` lists the proposals",
    )


def _in_order(cycle: Cycle) -> Iterator[str]:
    yield from (p for p in cycle.rulings if p in cycle.proposals)
    yield from (p for p in cycle.proposals if p not in cycle.rulings)


def _row(cycle: Cycle, proposal_id: str, value: Any) -> dict[str, Any]:
    proposal = cycle.proposals[proposal_id].proposal
    tally = cycle.tallies[proposal_id].tally if proposal_id in cycle.tallies else None
    ruling = cycle.rulings[proposal_id].ruling if proposal_id in cycle.rulings else None
    ended = cycle.outcomes.get(proposal_id)
    outcome = ended.outcome if ended else cycle.applied[proposal_id].outcome if proposal_id in cycle.applied else None
    return {
        "proposal": proposal.id,
        "cycle": cycle.number,
        "proposer": proposal.proposer,
        "kind": proposal.kind,
        "rationale": proposal.rationale,
        "config": proposal.config,
        "votes": [
            {
                **event.vote.model_dump(include={"voter", "score", "confidence", "reason", "source"}),
                "weight": tally.weights.get(event.vote.voter) if tally else None,
            }
            for event in cycle.votes.get(proposal_id, [])
        ],
        "tally": tally.score if tally else None,
        "vetoed_by": list(tally.vetoed_by) if tally else [],
        "ruling": ruling.decision if ruling else None,
        "rule": ruling.rule if ruling else None,
        "reason": ruling.reason if ruling else "",
        "risk": ruling.risk if ruling else None,
        "job": outcome.job_id if outcome else None,
        "status": outcome.status if outcome else None,
        "value": None if ended is None or ended.score is None else value(ended.score),
    }


def _patch(artifacts: Artifacts, config: dict[str, Any]) -> str | None:
    """The diff of a candidate of code; None for any other proposal, or where it is kept no more."""
    reference = config.get(PATCH)
    return artifacts.text(str(reference)) if reference and str(reference) in artifacts else None
