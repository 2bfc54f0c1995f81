"""A ruling as a question to a person: what would run and why, the votes, the risk, and what happens on silence."""

from __future__ import annotations

from typing import Any

from agents.code.diff import unified_diff
from core.approvals import AnswerKind, Approval
from core.ids import content_hash
from core.records import PATCH, Proposal, Ruling, Vote
from graph.context import Context
from graph.state import CycleState

__all__ = ["question"]

MOST_DIFF_CHARACTERS = 60_000
SPANS = ((86_400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))


def question(proposal: Proposal, ruling: Ruling, state: CycleState, context: Context) -> Approval:
    """The question; the same for the same proposal, votes and ruling, whenever it is made."""
    to_run = ruling.amended or proposal
    allowed: tuple[AnswerKind, ...] = ("accept", "respond", "ignore")
    if to_run.kind == "experiment":
        allowed = ("accept", "edit", "respond", "ignore")
    tally = next((t for t in state["tallies"] if t.proposal_id == proposal.id), None)
    votes = [_vote(v, tally.weights.get(v.voter) if tally else None) for v in _votes(proposal, state)]
    if tally is not None:
        votes.append(f"tally {tally.score:+.2f}")
    return Approval.make(
        campaign_id=context.campaign_id,
        cycle=state["cycle"],
        asks="proposal",
        subject=proposal.id,
        kind=to_run.kind,
        asker=proposal.proposer,
        title=f"{to_run.kind} {proposal.id} of {proposal.proposer}, cycle {state['cycle']}",
        what=_what(to_run),
        why=_why(to_run, ruling, context),
        votes=tuple(votes),
        risk=ruling.risk,
        shown=_shown(to_run, context),
        without_answer=_without_answer(context.campaign.approvals.expire_s),
        allowed=allowed,
    )


def _votes(proposal: Proposal, state: CycleState) -> list[Vote]:
    return [vote for vote in state.get("votes", []) if vote.proposal_id == proposal.id]


def _vote(vote: Vote, weight: float | None) -> str:
    weighed = "" if weight is None else f" × {weight:.2f}"
    return f"{vote.voter} {vote.score:+.2f}{weighed}: {vote.reason}"


def _what(to_run: Proposal) -> str:
    if to_run.kind == "experiment":
        return "a job runs with this configuration"
    if to_run.is_trial:
        return "a candidate with this change is tested and measured; no file of yours is touched"
    return f"{to_run.kind} is written beside {', '.join(to_run.files)}; no file of yours is touched"


def _why(to_run: Proposal, ruling: Ruling, context: Context) -> str:
    told = [to_run.rationale]
    if to_run.expected is not None:
        objective = context.campaign.objective
        value = objective.value(to_run.expected.mean)
        told.append(f"{objective.metric} {value:.5g} ± {to_run.expected.sd:.2g} is expected")
    return "; ".join([*told, f"the supervisor: {ruling.decision}, {ruling.reason}"])


def _shown(to_run: Proposal, context: Context) -> dict[str, Any]:
    """The configuration beside the baseline's, or the change as a diff, with a hash that binds the whole of it."""
    if to_run.kind == "experiment":
        return {"config": to_run.config, "before": context.campaign.baseline}
    if to_run.is_trial and context.code is not None:
        population = context.code.population
        changed = population.changed_of(to_run)
        before = {path: population.base[path] for path in changed if path in population.base}
        after = {path: text for path, text in changed.items() if text is not None}
        return {PATCH: to_run.config[PATCH], **_cut(unified_diff(before, after))}
    told: dict[str, Any] = {"files": sorted(to_run.files), "content": content_hash(to_run.files, to_run.comments)}
    if to_run.comments:
        return {**told, "comments": to_run.comments}
    return {**told, **_cut(unified_diff({}, to_run.files))}


def _cut(diff: str) -> dict[str, Any]:
    if len(diff) <= MOST_DIFF_CHARACTERS:
        return {"diff": diff}
    return {"diff": diff[:MOST_DIFF_CHARACTERS], "diff_characters_left_out": len(diff) - MOST_DIFF_CHARACTERS}


def _without_answer(expire_s: float | None) -> str:
    if expire_s is None:
        return "the campaign waits"
    unit, name = next((unit, name) for unit, name in SPANS if expire_s >= 2 * unit or unit == 1)
    return f"after {expire_s / unit:.4g} {name} it is rejected, and the cycle goes on without it"
