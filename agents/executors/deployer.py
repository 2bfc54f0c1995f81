"""An accepted improvement goes live in the running service, is watched, and is kept or taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from agents.live.assessing import assess
from agents.live.work import LiveWork
from agents.registry import executor
from agents.roles import Executor, Kit
from agents.supervisors.improvements import deployment_facts
from core.deployment import Deployment, DeploymentState
from core.errors import NotFoundError, PolicyError, RatchetError
from core.events import DegradationSeen, ImprovementAssessed, ImprovementDeployed, ImprovementRolledBack
from core.ids import content_id
from core.improvement import ImpactAssessment
from core.policy import Action
from core.records import Outcome, Proposal
from core.watch import ServiceReading
from memory.effects import Effect
from runtime.deployment import ENDED_EARLY, Read, watch
from search.degradation import service_level
from search.deployment_watch import DeploymentWatch
from search.level_change import latency_reduction

__all__ = ["deployer"]

HISTORY_WINDOWS = 240
"""Windows before a deployment that its watch is told of, at most."""


@executor("deployer", kinds=("code",))
def deployer() -> Executor:
    """Deploys, watches, rolls back: an effect with a key, so that a program that was killed goes on where it was.

    One deployment is watched at a time: the effects of two could not be told apart; others of the cycle wait.  What
    waited so long that the service runs other code is not deployed.  The outcome's metrics are those of the assessment;
    what was taken back failed, with the cause `rolled_back`.
    """

    async def execute(proposal: Proposal, kit: Kit) -> Outcome:
        assert kit.effects is not None
        assert kit.live is not None
        name = content_id("i", kit.campaign_id, proposal.id, *proposal.content)
        effect = kit.effects.begin(name, "improvement", kit.campaign_id, {"proposal": proposal.id})
        if effect.state == "finished":
            return Outcome.model_validate_json(effect.result)
        began = kit.clock()
        async with kit.live.watching:
            try:
                state = await _deployed(proposal, effect, kit)
                assessment = await _watched(proposal, state, began, kit)
            except RatchetError as error:
                assessment = ImpactAssessment(
                    opportunity_id=proposal.opportunity,
                    proposal_id=proposal.id,
                    status="refused" if isinstance(error, PolicyError) else "failed",
                    reason=error.what,
                )
        kit.emit(ImprovementAssessed(campaign_id=kit.campaign_id, cycle=proposal.cycle, assessment=assessment))
        outcome = _outcome(name, proposal, assessment)
        kit.effects.finish(effect, outcome.model_dump_json())
        return outcome

    return execute


async def _deployed(proposal: Proposal, effect: Effect, kit: Kit) -> DeploymentState:
    """The deployment live and healthy, or at its end already.  Raises RatchetError when it did not go live."""
    assert kit.live is not None
    assert kit.effects is not None
    live = kit.live
    if (known := _begun(effect, live)) is not None:
        return known
    if live.hashes(list(proposal.files)) != proposal.made_from:
        raise RatchetError("the service runs other code than the improvement was made from")
    # after a restart, or right after another deployment, its watch would know nothing to compare with
    await live.listen((live.rules.least_history + 1) * live.rules.interval_s)
    facts, approved = deployment_facts(proposal, kit), live.approved_by(proposal)
    planned: Deployment = live.service.plan(
        proposal.files,
        scope=facts["scope"],
        campaign_id=kit.campaign_id,
        proposal_id=proposal.id,
        approval_id=approved,
        reason=proposal.rationale,
    )
    leave = live.leave(Action.DEPLOY, facts, approved)
    kit.effects.started(effect, planned.id)
    history = await asyncio.to_thread(live.history, kit.clock(), HISTORY_WINDOWS)
    return await asyncio.to_thread(
        live.service.deploy, planned, proposal.files, leave=leave, baseline=service_level(history), fence=effect.fence
    )


def _begun(effect: Effect, live: LiveWork) -> DeploymentState | None:
    """How far the deployment had come before a kill; None where it is to be tried anew: it was never written down, or
    `recover` has taken it back before anybody had seen how the new version does."""
    try:
        known = live.service.state(effect.remote_id) if effect.remote_id else None
    except NotFoundError:
        return None
    if known is None or known.stage == "undone":
        return None
    return None if known.stage == "rolled_back" and known.reason.startswith(ENDED_EARLY) else known


async def _watched(proposal: Proposal, state: DeploymentState, began: float, kit: Kit) -> ImpactAssessment:
    """The watch to its end, told of; the assessment of what it came to."""
    assert kit.live is not None
    live, deployment = kit.live, state.deployment
    about = {
        "campaign_id": kit.campaign_id,
        "cycle": proposal.cycle,
        "proposal_id": proposal.id,
        "deployment_id": deployment.id,
    }
    reduction = None
    if state.stage == "watching":
        kit.emit(ImprovementDeployed(revision=deployment.digest, paths=deployment.paths, share=state.share, **about))
        before = await asyncio.to_thread(live.history, state.began_at, HISTORY_WINDOWS)
        state = await _to_its_end(state, before, live, kit)
        since = state.watched_since if state.watched_since is not None else state.at
        windows = state.verdict.windows if state.verdict else 0
        after = await asyncio.to_thread(live.windows, since, windows)
        since_baseline = state.verdict.baseline.since if state.verdict and state.verdict.baseline else 0.0
        compared = [one for one in before if one is not None and one.at > since_baseline]
        reduction = latency_reduction(compared, after)
        await live.settle(since if state.stage == "kept" else kit.clock())
    _tell_of_rollback(state, live, about, kit)
    return assess(proposal, state, kit.clock() - began, reduction)


async def _to_its_end(
    state: DeploymentState, before: Sequence[ServiceReading | None], live: LiveWork, kit: Kit
) -> DeploymentState:
    """The watch to its end.  A canary that stood it becomes the version of all, and is watched once more as that.

    A canary is judged by the requests that it answered, where the service tells which these are; else by all.
    """
    name, watched = state.deployment.id, partial(watch, rules=live.rules, clock=kit.clock)
    if state.share < 1.0:
        if live.view.tells_revisions:
            judge = DeploymentWatch(before, live.rules, share=state.share)
            read: Read = partial(live.view.reading, revision=state.deployment.digest)
        else:
            judge, read = DeploymentWatch(before, live.rules), live.view.reading
        state = await watched(live.service, name, read=read, judge=judge.judge)
        if state.stage == "watching":
            state = await asyncio.to_thread(live.service.promote, name)
    if state.stage == "watching":
        state = await watched(
            live.service, name, read=live.view.reading, judge=DeploymentWatch(before, live.rules).judge
        )
    return state


def _tell_of_rollback(state: DeploymentState, live: LiveWork, about: dict[str, object], kit: Kit) -> None:
    if state.stage == "kept":
        return
    verdict = state.verdict
    if verdict is not None and verdict.answer == "degraded":
        kit.emit(
            DegradationSeen.model_validate(
                {
                    **about,
                    "degradation": verdict.degradation.worst,
                    "threshold": live.rules.threshold,
                    "reason": verdict.reason,
                }
            )
        )
    took = state.rollback_s if state.stage == "rolled_back" else None  # else nobody has seen the old one serve
    told = {"revision": state.deployment.previous, "seconds": took, "reason": state.reason}
    kit.emit(ImprovementRolledBack.model_validate({**about, **told}))


def _outcome(name: str, proposal: Proposal, assessment: ImpactAssessment) -> Outcome:
    kept = assessment.status == "completed"
    figures = {
        "latency_reduction_percent": assessment.latency_reduction_percent,
        "latency_reduction_ms": assessment.latency_reduction_ms,
        "error_rate_change": assessment.error_rate_change,
        "throughput_change": assessment.throughput_change,
        "rollback_seconds": assessment.rollback_seconds,
    }
    return Outcome(
        job_id=name,
        proposal_id=proposal.id,
        status="ok" if kept else "failed",
        config={},
        seed=0,
        metrics={key: value for key, value in figures.items() if value is not None},
        cause="" if kept else assessment.status,
        reason=assessment.reason,
        duration_s=assessment.seconds,
        details={"assessment": assessment.model_dump(mode="json")},
    )
