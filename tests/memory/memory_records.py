"""Campaigns and events for the tests of what is kept."""

from __future__ import annotations

from collections.abc import Callable

from core.campaign import Campaign
from core.events import AnyEvent, JobFinished, LessonLearned, ProposalMade, ProposalRuled
from core.records import Lesson, Outcome, Proposal, Ruling
from memory.recall import Recall

CAMPAIGN = "tiny-1"
Open = Callable[..., Recall]
"""The fixture `open_recall`."""


def campaign(**changes: object) -> Campaign:
    fields: dict[str, object] = {
        "name": "tiny",
        "command": ["true"],
        "objective": {"metric": "score"},
        "space": {"x": {"type": "float", "low": 0, "high": 1}},
        "baseline": {"x": 0.5},
    }
    return Campaign.model_validate({**fields, **changes})


def proposal(cycle: int, number: int) -> Proposal:
    config = {"x": cycle + number / 100}
    return Proposal.make(campaign_id=CAMPAIGN, cycle=cycle, proposer="tester", config=config, rationale="a test")


def made(asked: Proposal) -> ProposalMade:
    return ProposalMade(campaign_id=CAMPAIGN, cycle=asked.cycle, proposal=asked)


def accepted(asked: Proposal) -> ProposalRuled:
    ruling = Ruling(proposal_id=asked.id, decision="accept", risk=0.1, rule="all", reason="a test")
    return ProposalRuled(campaign_id=CAMPAIGN, cycle=asked.cycle, ruling=ruling)


def finished(asked: Proposal, score: float | None) -> JobFinished:
    outcome = Outcome(
        job_id=f"j-{asked.id}",
        proposal_id=asked.id,
        status="failed" if score is None else "ok",
        config=asked.config,
        seed=0,
        metrics={} if score is None else {"score": score},
    )
    return JobFinished(campaign_id=CAMPAIGN, cycle=asked.cycle, purpose="proposal", outcome=outcome, score=score)


def learned(cycle: int, name: str, withdraws: str | None = None) -> LessonLearned:
    lesson = Lesson(id=name, kind="constraint", text=name, cycle=cycle, withdraws=withdraws)
    return LessonLearned(campaign_id=CAMPAIGN, cycle=cycle, lesson=lesson)


def told(*events: AnyEvent, after: int = 0) -> list[AnyEvent]:
    """The events as the ledger would hand them out: numbered."""
    return [event.model_copy(update={"seq": number}) for number, event in enumerate(events, after + 1)]
