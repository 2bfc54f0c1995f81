"""The nodes: each hands a role its case and kit, tells the ledger what it answered, and returns it as state.

A node may run again after a kill.  It first asks the history whether its answer stands there already; what it tells
twice is kept once; and jobs are effects with a key.  So a cycle that is run again ends as it would have ended.
"""

from __future__ import annotations

from collections.abc import Sequence

from langgraph.runtime import Runtime

from agents.feedback.loop import CodeFeedbackLoop
from agents.historians import bookkeeping
from agents.tally import tally_votes, voter_weights
from core.errors import RatchetError
from core.events import (
    CycleFinished,
    CycleStarted,
    DirectionSet,
    GuidanceUsed,
    JobFinished,
    LessonLearned,
    ProposalApplied,
    ProposalMade,
    ProposalRuled,
    ProposalTallied,
    RoleFailed,
    TrackRecordUpdated,
    TrajectoryKept,
    VoteCast,
)
from core.records import Experiment, Outcome, Proposal, Ruling, Vote
from graph import sharpen as sharpening
from graph import stages
from graph.confirm import improvements
from graph.context import Context, role_seed
from graph.enforcing import enforced, key_of
from graph.guidance_effects import (
    guidance_of_direction,
    guidance_of_proposals,
    guidance_of_rulings,
    guidance_of_votes,
)
from graph.guiding import deliver, report_untouched
from graph.state import Chair, CycleState
from graph.together import together

__all__ = ["agenda", "director", "executor", "historian", "proposer", "sharpen", "supervisor", "tally", "voter"]


async def director(state: CycleState, runtime: Runtime[Context]) -> CycleState:
    """Case → direction."""
    context, cycle = runtime.context, state["cycle"]
    direction = context.history.cycle(cycle).direction
    if direction is None:
        context.tell(CycleStarted(campaign_id=context.campaign_id, cycle=cycle))
        await deliver(context, cycle, "director")
        name = context.campaign.council.director.use
        case = context.case(cycle, node="director")
        directed = await context.council.director(case, context.kit(cycle, "director", name))
        direction = case.steering().steered(directed)
        used = guidance_of_direction(context, case, directed, direction)
        context.tell(DirectionSet(campaign_id=context.campaign_id, cycle=cycle, direction=direction), *used)
    await deliver(context, cycle, "proposer")  # before the fan-out: every seat is handed the same
    return {"direction": direction}


async def proposer(state: Chair, runtime: Runtime[Context]) -> CycleState:
    """One proposer's proposals.  One that raises is reported; the cycle goes on without it."""
    context, cycle, seat = runtime.context, state["cycle"], state["seat"]
    made = [p.proposal for p in context.history.cycle(cycle).proposals.values() if p.proposal.proposer == seat]
    if not made:
        case = context.case(cycle, state["direction"], "proposer")
        used: list[GuidanceUsed] = []
        try:
            answered = await context.council.proposer(seat)(case, context.kit(cycle, "proposer", seat))
            made = [_as_made_by(seat, proposal) for proposal in answered]
            made, used = await guidance_of_proposals(context, case, seat, made)
        except Exception as error:  # noqa: BLE001  # any role's failure is an event, not the end of the cycle
            _report(context, cycle, "proposer", seat, error)
        context.tell(*(ProposalMade(campaign_id=context.campaign_id, cycle=cycle, proposal=p) for p in made), *used)
    return {"proposals": made}


async def agenda(state: CycleState, runtime: Runtime[Context]) -> CycleState:
    """What is voted on: every configuration once, the first proposer's when two had the same idea."""
    await deliver(runtime.context, state["cycle"], "voter")
    once: dict[str, Proposal] = {}
    for proposal in state.get("proposals", []):
        try:
            key = key_of(proposal, runtime.context.space)
        except RatchetError:
            key = proposal.id  # not in the space: the supervisor says so, with its reason
        once.setdefault(key, proposal)
    return {"agenda": list(once.values())}


async def sharpen(state: CycleState, runtime: Runtime[Context]) -> CycleState:
    """Code and comment proposals after the feedback subgraph; one that it cannot work on stays as it was."""
    context, cycle = runtime.context, state["cycle"]
    told = context.history.cycle(cycle).sharpened
    agenda: list[Proposal] = []
    for proposal in state["agenda"]:
        done = told.get(proposal.id)
        if done is None and not proposal.is_trial:
            try:
                done = await sharpening.sharpen(proposal, _feedback_loop(context, cycle))
            except Exception as error:  # noqa: BLE001  # a draft that cannot be analysed is voted on as it is
                _report(context, cycle, "sharpen", proposal.id, error)
            else:
                context.tell(done)
        agenda.append(done.proposal if done else proposal)
    return {"agenda": agenda}


async def voter(state: Chair, runtime: Runtime[Context]) -> CycleState:
    """One voter's votes on all that it is for.  One that raises abstains, and is reported."""
    context, cycle, seat = runtime.context, state["cycle"], state["seat"]
    told = context.history.cycle(cycle).votes
    agenda = [proposal for proposal in state["agenda"] if proposal.kind in context.council.judged_by(seat)]
    votes = [v.vote for p in agenda for v in told.get(p.id, []) if v.vote.voter == seat]
    if agenda and not votes:
        case = context.case(cycle, state["direction"], "voter", proposals=tuple(state["agenda"]))
        kit = context.kit(cycle, "voter", seat)
        try:
            voted = context.council.voter(seat)
            votes = [_as_cast_by(seat, proposal, await voted(proposal, case, kit)) for proposal in agenda]
        except Exception as error:  # noqa: BLE001
            _report(context, cycle, "voter", seat, error)
        cast = [VoteCast(campaign_id=context.campaign_id, cycle=cycle, vote=vote) for vote in votes]
        context.tell(*cast, *guidance_of_votes(context, case, seat, votes))
    return {"votes": votes}


async def tally(state: CycleState, runtime: Runtime[Context]) -> CycleState:
    """Votes → one weighted sum a proposal, best first."""
    context, cycle = runtime.context, state["cycle"]
    case = context.case(cycle, state["direction"])
    weights = voter_weights(context.council.weights, case.records)
    tallies = tally_votes([p.id for p in state["agenda"]], state.get("votes", []), weights)
    context.tell(*(ProposalTallied(campaign_id=context.campaign_id, cycle=cycle, tally=t) for t in tallies))
    return {"tallies": tallies}


async def supervisor(state: CycleState, runtime: Runtime[Context]) -> CycleState:
    """A ruling on every proposal, in the order of the tally.  What it cannot judge is rejected."""
    context, cycle = runtime.context, state["cycle"]
    await deliver(context, cycle, "supervisor")
    by_id = {proposal.id: proposal for proposal in state["agenda"]}
    told = context.history.cycle(cycle).rulings
    kit = context.kit(cycle, "supervisor", context.campaign.council.supervisor.use)
    rulings: list[Ruling] = []
    taken: set[str] = set()
    for counted in state["tallies"]:
        proposal = by_id[counted.proposal_id]
        if counted.proposal_id in told:
            case = context.case(cycle, state["direction"], "supervisor")
            rulings.append(enforced(told[counted.proposal_id].ruling, proposal, case, taken))
            continue
        case = context.case(
            cycle,
            state["direction"],
            "supervisor",
            proposals=tuple(state["agenda"]),
            votes=tuple(state.get("votes", [])),
            tallies=tuple(state["tallies"]),
            rulings=tuple(rulings),
        )
        try:
            ruling = _about(proposal, await context.council.supervisor(proposal, case, kit))
        except Exception as error:  # noqa: BLE001  # default deny
            _report(context, cycle, "supervisor", context.campaign.council.supervisor.use, error)
            ruling = Ruling(
                proposal_id=counted.proposal_id,
                decision="reject",
                risk=1.0,
                rule="unjudged",
                reason=f"the supervisor failed: {error}",
            )
        rulings.append(enforced(ruling, proposal, case, taken))
    news = [ProposalRuled(campaign_id=context.campaign_id, cycle=cycle, ruling=ruling) for ruling in rulings]
    case = context.case(cycle, state["direction"], "supervisor")
    context.tell(*news, *guidance_of_rulings(context, case, state["agenda"], rulings))
    return {"rulings": rulings}


async def executor(state: CycleState, runtime: Runtime[Context]) -> CycleState:
    """Every accepted proposal carried out, several at once; the answers in the order of the rulings."""
    context, cycle = runtime.context, state["cycle"]
    kit = context.kit(cycle, "executor", context.campaign.council.executor.use)
    accepted = _accepted(state["agenda"], state["rulings"])

    async def carry_out(proposal: Proposal) -> Experiment:
        outcome = await context.council.executors[proposal.kind](proposal, kit)
        if not proposal.is_trial:
            context.tell(ProposalApplied(campaign_id=context.campaign_id, cycle=cycle, outcome=outcome))
            return Experiment(proposal=proposal, outcome=outcome, score=None)
        score = score_of(context, outcome)
        context.tell(
            JobFinished(campaign_id=context.campaign_id, cycle=cycle, purpose="proposal", outcome=outcome, score=score)
        )
        return Experiment(proposal=proposal, outcome=outcome, score=score)

    return {"experiments": await together(map(carry_out, accepted))}


async def historian(state: CycleState, runtime: Runtime[Context]) -> CycleState:
    """What came of it → trajectories, lessons, track records, recall; and the cycle is whole."""
    context, cycle = runtime.context, state["cycle"]
    carried_out = state.get("experiments", [])
    experiments = [e for e in carried_out if e.proposal.is_trial]
    case = context.case(
        cycle,
        state["direction"],
        proposals=tuple(state["agenda"]),
        votes=tuple(state.get("votes", [])),
        tallies=tuple(state.get("tallies", [])),
        rulings=tuple(state.get("rulings", [])),
    )
    kit = context.kit(cycle, "historian", context.campaign.council.historian.use)
    lessons = list(await context.council.historian(experiments, case, kit))
    trajectories = [bookkeeping.trajectory(experiment, case, lessons) for experiment in experiments]
    records = bookkeeping.credit(experiments, case, context.history.track_records("proposer", before=cycle))
    news = await improvements(context, case, experiments)
    campaign_id = context.campaign_id
    context.tell(
        *(TrajectoryKept(campaign_id=campaign_id, cycle=cycle, trajectory=t) for t in trajectories),
        *(LessonLearned(campaign_id=campaign_id, cycle=cycle, lesson=lesson) for lesson in lessons),
        *(TrackRecordUpdated(campaign_id=campaign_id, cycle=cycle, record=record) for record in records),
        *news,
    )
    if context.code is not None and context.candidates is not None:
        for row in bookkeeping.candidate_rows(experiments, case):
            context.candidates.add(row)
    annotated = [e for e in carried_out if not e.proposal.is_trial and e.outcome.ok]
    context.remember([*bookkeeping.memories(trajectories, lessons, case), *bookkeeping.remarks(annotated, case)])
    context.tell(*report_untouched(context, cycle))
    context.tell(
        CycleFinished(
            campaign_id=campaign_id,
            cycle=cycle,
            stages=stages.describe(state, lessons, trajectories),
            metrics=stages.count(state),
        )
    )
    return {"lessons": lessons}


def _feedback_loop(context: Context, cycle: int) -> CodeFeedbackLoop | None:
    """The loop with the campaign's models; None where rules sharpen alone."""
    if context.models is None:
        return None
    seed = role_seed(context.campaign.seed, cycle, "sharpen", "")
    return sharpening.loop_with(context.models, context.campaign, cycle, seed)


def score_of(context: Context, outcome: Outcome) -> float | None:
    """The objective as a score; None when the job did not end with it."""
    value = outcome.metrics.get(context.campaign.objective.metric)
    return context.campaign.objective.score(value) if outcome.ok and value is not None else None


def _as_made_by(seat: str, proposal: Proposal) -> Proposal:
    """The proposal under the name of its seat, which two of one kind do not share."""
    if proposal.proposer == seat:
        return proposal
    fields = proposal.model_dump(exclude={"id", "version", "proposer"})
    return Proposal.make(proposer=seat, **fields)


def _as_cast_by(seat: str, proposal: Proposal, vote: Vote) -> Vote:
    """The vote under the name of its seat, about the proposal that was asked about."""
    return vote.model_copy(update={"voter": seat, "proposal_id": proposal.id})


def _about(proposal: Proposal, ruling: Ruling) -> Ruling:
    """The ruling on the proposal that was asked about; an amended form keeps its id, by which its outcome is found."""
    amended = ruling.amended and ruling.amended.model_copy(update={"id": proposal.id})
    return ruling.model_copy(update={"proposal_id": proposal.id, "amended": amended})


def _accepted(proposals: Sequence[Proposal], rulings: Sequence[Ruling]) -> list[Proposal]:
    by_id = {proposal.id: proposal for proposal in proposals}
    return [r.amended or by_id[r.proposal_id] for r in rulings if r.decision in ("accept", "amend")]


def _report(context: Context, cycle: int, role: str, name: str, error: Exception) -> None:
    text = f"{type(error).__name__}: {error}"
    context.tell(RoleFailed(campaign_id=context.campaign_id, cycle=cycle, role=role, name=name, error=text))
