"""What an event of a campaign adds to the episode of its cycle.

| event | in the episode |
|---|---|
| DirectionSet | context: `direction` |
| ModelCalled | action `llm_generation`: the prompt by name and edition, never its text |
| ProposalMade, VoteCast | action `proposal`; and `rag_query` where they rest on recalled memories |
| ProposalSharpened, ProposalTallied, ProposalRuled | actions `sharpening`, `votes` (of all voters), `ruling` |
| RoleFailed | action `role_failed` |
| JobFinished, ProposalApplied | outcomes `job`, `applied` |
| BestImproved, BestChallenged | outcomes `new_best`, `challenge` |
| LessonLearned, CycleFinished | outcomes `lesson`, `cycle` |
| ControlFinished, VerdictReached, SealedEvaluated | outcomes `control_arm`, `verdict`, `sealed` of the cycle before |
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.events import (
    AnyEvent,
    BestChallenged,
    BestImproved,
    ControlFinished,
    CycleFinished,
    DirectionSet,
    GuidanceDelivered,
    GuidanceUsed,
    JobFinished,
    LessonLearned,
    ModelCalled,
    ProposalApplied,
    ProposalMade,
    ProposalRuled,
    ProposalSharpened,
    ProposalTallied,
    RoleFailed,
    SealedEvaluated,
    VerdictReached,
    VoteCast,
)
from core.records import Outcome, Proposal
from memory.episodes.entries import Kind

__all__ = ["Teller", "Told"]


@dataclass(frozen=True)
class Told:
    """One entry: its kind, type and data, and what it adds to the metrics."""

    kind: Kind
    type: str
    data: dict[str, Any]
    increments: dict[str, float] = field(default_factory=dict)


class Teller:
    """Hears the events of one campaign in order.  Votes are told together, when they are tallied."""

    def __init__(self) -> None:
        self._votes: dict[str, dict[str, float]] = defaultdict(dict)

    def told_of(self, event: AnyEvent) -> list[Told]:
        """The entries of one event, in order; none for most events of the bookkeeping."""
        match event:
            case VoteCast():
                vote = event.vote
                self._votes[vote.proposal_id][vote.voter] = _brief(vote.score)
                return _recalled(vote.voter, vote.proposal_id, vote.memories)
            case ProposalTallied():
                tally = event.tally
                cast = {"score": _brief(tally.score), "votes": self._votes.pop(tally.proposal_id, {})}
                return [
                    Told(
                        "action",
                        "votes",
                        _some({"proposal": tally.proposal_id, **cast}, vetoed_by=list(tally.vetoed_by)),
                    )
                ]
            case _:
                return _told_of(event)


def _told_of(event: AnyEvent) -> list[Told]:
    match event:
        case DirectionSet():
            direction = event.direction
            told = {"mode": direction.mode, "jobs": direction.jobs, "reason": direction.reason}
            return [Told("context", "direction", {"direction": _some(told, focus=list(direction.focus))})]
        case GuidanceDelivered():
            said = event.guidance
            means = [str(meaning) for meaning in said.meanings]
            return [
                Told("context", "guidance", _some({"id": said.id, "text": said.text, "node": event.node}, means=means))
            ]
        case GuidanceUsed():
            used = {"id": event.guidance_id, "node": event.node}
            return [Told("context", "guidance_used", _some(used, proposals=list(event.proposals), note=event.note))]
        case ModelCalled():
            return [_model_call(event)]
        case ProposalMade():
            proposal = event.proposal
            made = Told("action", "proposal", _proposal(proposal), {"changes_proposed": 1})
            return [*_recalled(proposal.proposer, proposal.id, proposal.memories), made]
        case ProposalSharpened():
            grown = {"before": _brief(event.before), "after": _brief(event.after), "rounds": event.rounds}
            return [Told("action", "sharpening", {"proposal": event.proposal.id, **grown})]
        case ProposalRuled():
            ruling = event.ruling
            accepted = ruling.decision in ("accept", "amend")
            told = {"proposal": ruling.proposal_id, "decision": ruling.decision, "rule": ruling.rule}
            return [
                Told("action", "ruling", {**told, "risk": _brief(ruling.risk)}, {"changes_accepted": int(accepted)})
            ]
        case RoleFailed():
            failed = {"role": event.role, "name": event.name, "error": event.error}
            return [Told("action", "role_failed", failed, {"error_count": 1})]
        case JobFinished() if event.cycle > 0:
            score = None if event.score is None else _brief(event.score)
            data = _some(_outcome(event.outcome), purpose=event.purpose, score=score)
            return [Told("outcome", "job", data, _failed(event.outcome))]
        case ProposalApplied():
            return [Told("outcome", "applied", _outcome(event.outcome), _failed(event.outcome))]
        case BestImproved():
            best = {"proposal": event.proposal_id, "score": event.score, "previous": event.previous}
            return [Told("outcome", "new_best", best)]
        case BestChallenged():
            gained = event.challenge.model_dump(mode="json", include={"incumbent", "gain", "low", "high", "answer"})
            return [Told("outcome", "challenge", {"proposal": event.challenge.proposal_id, **gained})]
        case LessonLearned():
            lesson = event.lesson
            return [Told("outcome", "lesson", {"id": lesson.id, "kind": lesson.kind, "text": lesson.text})]
        case CycleFinished():
            return [Told("outcome", "cycle", {"metrics": event.metrics})]
        case ControlFinished():
            highest = max((score for score in event.scores if score is not None), default=None)
            return [
                Told("outcome", "control_arm", {"arm": event.arm, "jobs": len(event.scores), "best_score": highest})
            ]
        case VerdictReached():
            fields = {"answer", "gain", "low", "high", "level", "metrics"}
            gained = event.verdict.model_dump(mode="json", include=fields)
            return [Told("outcome", "verdict", {"proposal": event.verdict.proposal_id, **gained})]
        case SealedEvaluated():
            return [Told("outcome", "sealed", event.result.model_dump(mode="json", exclude={"version"}))]
        case _:
            return []


def _model_call(event: ModelCalled) -> Told:
    backend, _, model = event.model_id.partition(":")
    tokens = event.input_tokens + event.output_tokens
    data = {
        "prompt": f"{event.prompt}@{event.edition}",
        "model": model or event.model_id,
        "backend": backend if model else "",
        "role": event.role,
        "seat": event.seat,
        "tokens": tokens,
        "duration_ms": round(1e3 * event.duration_s, 3),
    }
    taken = {"llm_calls": 1, "tokens_used": tokens, "inference_time_ms": 1e3 * event.duration_s}
    if event.error:
        taken["error_count"] = 1
    source = "" if event.source == "model" else event.source
    return Told("action", "llm_generation", _some(data, source=source, error=event.error), taken)


def _recalled(who: str, proposal_id: str, memories: Sequence[str]) -> list[Told]:
    """That a decision rests on memories; the ledger knows what was used of them, not how it was asked for."""
    if not memories:
        return []
    data = {"query": f"for {proposal_id} by {who}", "results": list(memories), "collection": ""}
    return [Told("action", "rag_query", data, {"rag_queries": 1})]


def _proposal(proposal: Proposal) -> dict[str, Any]:
    expected = None if proposal.expected is None else _brief(proposal.expected.mean)
    data = {"proposal": proposal.id, "proposer": proposal.proposer}
    kind = "" if proposal.kind == "experiment" else proposal.kind
    return _some(
        data,
        kind=kind,
        operator=proposal.operator,
        config={name: _brief(value) if isinstance(value, float) else value for name, value in proposal.config.items()},
        files=list(proposal.files),
        parents=list(proposal.parents),
        expected_score=expected,
        source="" if proposal.source == "rules" else proposal.source,
    )


def _outcome(outcome: Outcome) -> dict[str, Any]:
    data = {"job": outcome.job_id, "proposal": outcome.proposal_id, "status": outcome.status}
    return _some(
        data,
        metrics={name: _brief(value) for name, value in outcome.metrics.items()},
        cause=outcome.cause,
        reason=outcome.reason,
        duration_s=round(outcome.duration_s, 3),
    )


def _failed(outcome: Outcome) -> dict[str, float]:
    return {"error_count": 1} if outcome.status == "failed" else {}


def _some(data: dict[str, Any], **more: Any) -> dict[str, Any]:
    """`data`, and of `more` what says something."""
    return {**data, **{name: value for name, value in more.items() if value not in ("", None, [], {})}}


def _brief(value: float) -> float:
    """Six digits: the ledger has all of them."""
    return float(f"{value:.6g}")
