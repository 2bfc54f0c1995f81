"""Why a proposal was made, how it was judged, and what came of it: one object out of the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agents.forecasts import calibration_of
from core.campaign import Objective
from core.events import LessonLearned, TrajectoryKept
from core.guidance import GuidanceReceipt
from core.records import Baseline, Proposal
from memory.guidance import GuidanceBook
from memory.history import Cycle, History
from memory.ledger import Ledger, StoredCampaign
from service.payoff import payoff

__all__ = ["Explanations"]


class Explanations:
    """Why each proposal of a campaign was made; what is needed from the ledger is read once."""

    def __init__(self, ledger: Ledger, stored: StoredCampaign, history: History) -> None:
        self._ledger = ledger
        self._stored = stored
        self._history = history
        self._trials = {e.proposal.id: e for e in history.experiments()}
        self._improvements = {event.proposal_id: event for event in history.improvements}
        self._receipts: list[GuidanceReceipt] | None = None
        self._texts: dict[str, str | None] = {}
        self._best = history.best()
        self._calibration = calibration_of(history.experiments()).get("score")

    def of(self, proposal_id: str) -> dict[str, Any]:
        """Everything that led to the proposal and followed from it.  Raises KeyError for one of another campaign.

        Values are in the metric's own direction; `difference` and `gain` are of scores: above 0 is better.
        """
        cycle = next((c for c in self._history.cycles.values() if proposal_id in c.proposals), None)
        if cycle is None:
            raise KeyError(proposal_id)
        objective = self._stored.definition.objective
        proposal = cycle.proposals[proposal_id].proposal
        votes = [event.vote for event in cycle.votes.get(proposal_id, [])]
        tally = cycle.tallies[proposal_id].tally if proposal_id in cycle.tallies else None
        return {
            "proposal": proposal.id,
            "campaign": self._stored.id,
            "cycle": proposal.cycle,
            "direction": cycle.direction.model_dump(mode="json", include={"mode", "reason"})
            if cycle.direction
            else None,
            "proposer": proposal.proposer,
            "source": proposal.source,
            "rationale": proposal.rationale,
            "kind": proposal.kind,
            "config": proposal.config,
            "files": list(proposal.files),
            "operator": proposal.operator,
            "parts": list(proposal.parts),
            "sharpened": _sharpened(cycle, proposal_id),
            "objective": objective.model_dump(mode="json", include={"metric", "goal"}),
            "parents": [self._parent(parent) for parent in proposal.parents],
            "memories": self._memories(proposal.memories),
            "guidance": self._guidance(proposal.id),
            "votes": [
                {
                    "voter": vote.voter,
                    "score": vote.score,
                    "confidence": vote.confidence,
                    "weight": tally.weights.get(vote.voter) if tally else None,
                    "reason": vote.reason,
                    "memories": self._memories(vote.memories),
                    "source": vote.source,
                }
                for vote in votes
            ],
            "tally": None if tally is None else {"score": tally.score, "vetoed_by": list(tally.vetoed_by)},
            "ruling": _ruling(cycle, proposal_id),
            "same_as": _same(cycle, proposal) if not votes and tally is None else None,
            "outcome": _outcome(cycle, proposal_id, self._history.baseline, objective),
            "applied": _applied(cycle, proposal_id),
            "calibration": self._calibration,
            "became_best": self._became_best(proposal_id),
            "models": self._models(proposal, [vote.voter for vote in votes]),
        }

    def _models(self, proposal: Proposal, voters: list[str]) -> list[dict[str, Any]]:
        """The calls of language models behind it: its proposer's, its voters', and those of the council's other roles.

        Each with the prompt and the edition of its file.
        """
        spoke = {("proposer", proposal.proposer), *(("voter", voter) for voter in voters)}
        return [
            call.model_dump(mode="json", exclude={"type", "version", "campaign_id", "cycle", "seq", "at", "call"})
            for call in self._history.model_calls
            if call.cycle == proposal.cycle
            and ((call.role, call.seat) in spoke or call.role in ("director", "supervisor", "historian"))
        ]

    def _guidance(self, proposal_id: str) -> list[dict[str, Any]]:
        """The sentences that changed it, what each changed, and whether each has paid so far."""
        if self._receipts is None:
            self._receipts = GuidanceBook(self._ledger).receipts(self._stored.id)
        told: list[dict[str, Any]] = []
        for receipt in self._receipts:
            changes = [change.what for change in receipt.changes if change.proposal_id == proposal_id]
            if changes or proposal_id in receipt.proposals:
                said = receipt.guidance
                told.append(
                    {
                        "id": said.id,
                        "text": said.text,
                        "recalled_from": said.author if said.door == "recall" else None,
                        "changed": list(dict.fromkeys(changes)),
                        "payoff": payoff(receipt, self._stored.definition.objective),
                    }
                )
        return told

    def _memories(self, ids: Iterable[str]) -> list[dict[str, str | None]]:
        for memory in ids:
            if memory not in self._texts:
                self._texts[memory] = _memory_text(self._ledger, memory)
        return [{"id": memory, "text": self._texts[memory]} for memory in ids]

    def _parent(self, parent: str) -> dict[str, Any]:
        """A parent is named by its proposal; the baseline may be one too."""
        objective, baseline = self._stored.definition.objective, self._history.baseline
        if parent == "baseline" and baseline is not None:
            return {"id": parent, "proposer": None, "value": objective.value(baseline.mean)}
        trial = self._trials.get(parent)
        return {
            "id": parent,
            "proposer": trial.proposal.proposer if trial else None,
            "value": objective.value(trial.score) if trial and trial.score is not None else None,
        }

    def _became_best(self, proposal_id: str) -> dict[str, Any]:
        event = self._improvements.get(proposal_id)
        return {
            "then": event is not None,
            "by": None if event is None or event.previous is None else event.score - event.previous,
            "still": self._best is not None and self._best.proposal.id == proposal_id,
        }


def _memory_text(ledger: Ledger, memory: str) -> str | None:
    """The sentence of a trajectory or lesson, whichever campaign it comes from; None when the ledger has none."""
    for event in ledger.events(subject=memory, types=(TrajectoryKept, LessonLearned)):
        if isinstance(event, TrajectoryKept):
            return event.trajectory.summary
        if isinstance(event, LessonLearned):
            return event.lesson.text
    return None


def _ruling(cycle: Cycle, proposal_id: str) -> dict[str, Any] | None:
    if proposal_id not in cycle.rulings:
        return None
    ruling = cycle.rulings[proposal_id].ruling
    told: dict[str, Any] = ruling.model_dump(mode="json", include={"decision", "rule", "risk", "reason", "source"})
    return told | {"amended_config": ruling.amended.config if ruling.amended else None}


def _sharpened(cycle: Cycle, proposal_id: str) -> dict[str, Any] | None:
    event = cycle.sharpened.get(proposal_id)
    return None if event is None else event.model_dump(mode="json", include={"before", "after", "rounds", "guidance"})


def _applied(cycle: Cycle, proposal_id: str) -> dict[str, Any] | None:
    if proposal_id not in cycle.applied:
        return None
    outcome = cycle.applied[proposal_id].outcome
    return outcome.model_dump(mode="json", include={"job_id", "status", "reason", "metrics"})


def _same(cycle: Cycle, proposal: Proposal) -> str | None:
    """The proposal that was put on the agenda instead, because it has the same configuration."""
    for other in cycle.proposals.values():
        if other.proposal.id != proposal.id and other.proposal.content == proposal.content:
            return other.proposal.id
    return None


def _outcome(cycle: Cycle, proposal_id: str, baseline: Baseline | None, objective: Objective) -> dict[str, Any] | None:
    if proposal_id not in cycle.outcomes:
        return None
    event = cycle.outcomes[proposal_id]
    outcome, score = event.outcome, event.score
    expected = cycle.carried_out(proposal_id).expected
    prediction: dict[str, Any] | None = None
    if expected is not None:
        difference = None if score is None else score - expected.mean
        off = difference / expected.sd if difference is not None and expected.sd > 0 else None
        prediction = {
            "value": objective.value(expected.mean),
            "sd": expected.sd,
            "failure_probability": expected.failure_probability,
            "difference": difference,
            "sds_off": off,
        }
    return {
        "job": outcome.job_id,
        "status": outcome.status,
        "reason": outcome.reason or outcome.cause,
        "value": None if score is None else objective.value(score),
        "metrics": outcome.metrics,
        "seconds": outcome.duration_s,
        "gain": None if score is None or baseline is None else score - baseline.mean,
        "prediction": prediction,
    }
