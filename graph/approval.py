"""The node between supervisor and executor: rulings that a person has to decide, decided.

It runs before anything is carried out, and has no effect outside: a question is parked in the ledger, where asking it
again is no second question.  All questions of a cycle go into one interrupt; the answers are read from the ledger, so
that it does not matter through which door they came, or how often the node runs.
"""

from __future__ import annotations

from collections.abc import Sequence

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from core.approval_forms import Answers, as_action_requests, read_answers
from core.approvals import Approval, tier_of
from core.campaign import ApprovalPlan
from core.errors import RatchetError
from core.events import ProposalRuled, RoleFailed
from core.records import Proposal, Ruling
from graph.context import Context
from graph.question import question
from graph.state import CycleState

__all__ = ["DECIDED", "approval", "has_questions"]

DECIDED = "approval"
"""The rule of a ruling that a person, or the campaign's mode in their place, has decided."""


async def approval(state: CycleState, runtime: Runtime[Context]) -> CycleState:
    """The rulings as they were decided; unchanged while a question is open, and then the node comes again."""
    context, cycle = runtime.context, state["cycle"]
    plan = context.campaign.approvals
    proposals = {proposal.id: proposal for proposal in state["agenda"]}
    asked = _ask(state, context)
    if waiting := [one for one in asked.values() if one.state == "waiting"]:
        payload = {**as_action_requests(waiting), "approvals": [one.model_dump(mode="json") for one in waiting]}
        told: Answers = interrupt(payload, response_schema=Answers)
        _take(told, waiting, context, cycle)
        asked = {name: context.approvals.get(one.id) for name, one in asked.items()}
    if any(one.state == "waiting" for one in asked.values()):
        return {}
    rulings: list[Ruling] = []
    decided: list[ProposalRuled] = []
    for ruling in state["rulings"]:
        found = asked.get(ruling.proposal_id)
        if found is None and not waits_for_person(ruling, plan):
            rulings.append(ruling)
            continue
        made = _by_mode(ruling, plan) if found is None else _by_answer(ruling, proposals[ruling.proposal_id], found)
        rulings.append(made)
        by = plan.mode if found is None else found.id
        decided.append(ProposalRuled(campaign_id=context.campaign_id, cycle=cycle, ruling=made, approval=by))
    rulings = _no_two_alike(rulings, proposals, context)
    final = {ruling.proposal_id: ruling for ruling in rulings}
    context.tell(*(event.model_copy(update={"ruling": final[event.ruling.proposal_id]}) for event in decided))
    for one in asked.values():
        if one.answer is not None and one.answer.kind == "respond":
            context.hear(one.answer, cycle)
    return {"rulings": rulings}


def waits_for_person(ruling: Ruling, plan: ApprovalPlan) -> bool:
    """Whether the ruling is not the last word, under the campaign's mode.  `all` and `never` decide it themselves."""
    if ruling.rule == DECIDED:
        return False
    if ruling.decision == "ask":
        return True
    if ruling.decision == "reject":
        return False
    return plan.mode == "human" or (plan.mode in ("confirm", "never") and tier_of(ruling.risk) != "low")


def has_questions(state: CycleState, context: Context) -> bool:
    """Whether a ruling is not the last word, or was asked about (under another mode) and not decided since."""
    plan, known = context.campaign.approvals, _known(state["cycle"], context)
    return any(
        waits_for_person(ruling, plan) or (ruling.rule != DECIDED and ruling.proposal_id in known)
        for ruling in state["rulings"]
    )


def _known(cycle: int, context: Context) -> dict[str, Approval]:
    """The questions of a cycle, by proposal."""
    asked = context.approvals.of(context.campaign_id, cycle=cycle)
    return {one.subject: one for one in asked if one.asks == "proposal"}


def _ask(state: CycleState, context: Context) -> dict[str, Approval]:
    """The questions of this cycle by proposal, parked: those there are, and those that there have to be."""
    plan, known = context.campaign.approvals, _known(state["cycle"], context)
    proposals = {proposal.id: proposal for proposal in state["agenda"]}
    asked: dict[str, Approval] = {}
    for ruling in state["rulings"]:
        if ruling.proposal_id in known:
            asked[ruling.proposal_id] = known[ruling.proposal_id]
        elif waits_for_person(ruling, plan) and plan.mode not in ("all", "never"):
            made = question(proposals[ruling.proposal_id], ruling, state, context)
            asked[ruling.proposal_id] = context.approvals.ask(made, expire_s=plan.expire_s)
    return asked


def _take(told: Answers, waiting: Sequence[Approval], context: Context, cycle: int) -> None:
    """Answers that came with the resumed interrupt.  Those that cannot be are reported, and their questions stay."""
    open_ones = [one for one in waiting if context.approvals.get(one.id).state == "waiting"]
    given = told.root
    if isinstance(given, dict):  # what was answered through the ledger is told again, and counts there
        answered = {one.id for one in waiting} - {one.id for one in open_ones}
        given = {name: answer for name, answer in given.items() if name not in answered}
    if not given:
        return
    try:
        for name, answer in read_answers(given, open_ones).items():
            one = next(one for one in open_ones if one.id == name)
            context.approvals.answer(name, answer, by="interrupt", door="graph", shown_hash=one.shown_hash)
    except RatchetError as error:
        told_by = {"campaign_id": context.campaign_id, "cycle": cycle}
        context.tell(RoleFailed(role="approval", name=waiting[0].id, error=f"{error.what} ({error.where})", **told_by))


def _by_mode(ruling: Ruling, plan: ApprovalPlan) -> Ruling:
    """What the mode says where nobody is asked."""
    if plan.mode == "never":
        reason = f"a person would have to say yes, and approvals are `never`: {ruling.reason}"
        return ruling.model_copy(update={"decision": "reject", "amended": None, "rule": DECIDED, "reason": reason})
    decision = "amend" if ruling.amended else "accept"
    reason = f"approvals are `{plan.mode}`: {ruling.reason}"
    return ruling.model_copy(update={"decision": decision, "rule": DECIDED, "reason": reason})


def _by_answer(ruling: Ruling, proposal: Proposal, asked: Approval) -> Ruling:
    """The ruling as the answer makes it; without one the proposal is rejected, as was announced."""
    answer = asked.answer
    if answer is None:
        told = {"decision": "reject", "amended": None, "rule": DECIDED, "source": "rules"}
        return ruling.model_copy(update={**told, "reason": f"nobody answered {asked.id} in time"})
    who = f"{answer.by} ({answer.door}, {asked.id})"
    decided: dict[str, object] = {"rule": DECIDED, "source": "human"}
    if answer.kind == "accept":
        decided |= {"decision": "amend" if ruling.amended else "accept", "reason": f"{who} said yes; {ruling.reason}"}
    elif answer.kind == "edit":
        amended = (ruling.amended or proposal).model_copy(
            update={"config": answer.config, "expected": None, "expected_metrics": {}, "source": "human"}
        )
        decided |= {"decision": "amend", "amended": amended, "reason": f"{who} edited it"}
    else:
        word = f": {answer.text}" if answer.text else ""
        decided |= {"decision": "reject", "amended": None, "reason": f"{who} said no{word}"}
    return ruling.model_copy(update=decided)


def _no_two_alike(rulings: list[Ruling], proposals: dict[str, Proposal], context: Context) -> list[Ruling]:
    """The rulings, with an edited configuration that another one is to run anyway rejected."""
    taken: set[str] = set()
    checked = list(rulings)
    edited = [r.source == "human" and r.decision == "amend" for r in rulings]
    for place in sorted(range(len(rulings)), key=lambda i: edited[i]):  # what was not edited goes first
        ruling = rulings[place]
        to_run = ruling.amended or proposals[ruling.proposal_id]
        if ruling.decision not in ("accept", "amend") or not to_run.is_trial:
            continue
        key = context.space.key(to_run.config)
        if key in taken and edited[place]:
            reason = f"{ruling.reason}; exactly this is about to run"
            checked[place] = ruling.model_copy(update={"decision": "reject", "amended": None, "reason": reason})
        taken.add(key)
    return checked
