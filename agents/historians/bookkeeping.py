"""What every cycle leaves whichever historian sits: trajectories, track records, and the texts for recall."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Literal

from agents.roles import Case
from agents.wording import describe_config
from core.ids import content_id
from core.records import PATCH, Experiment, Lesson, Outcome, TestResults, TrackRecord, Trajectory, Vote
from memory.candidates import CandidateRow
from memory.recall import MemoryItem

__all__ = ["candidate_rows", "credit", "memories", "remarks", "standing", "trajectory"]

NEUTRAL = 0.75
"""Mean credit of a forecaster that always says ½, when outcomes are spread evenly."""
PRIOR = 6
"""Forecasts after which a track record counts half of what it says."""


def trajectory(experiment: Experiment, case: Case, lessons: Sequence[Lesson] = ()) -> Trajectory:
    """The lineage node of a finished trial; its summary is the sentence that recall keeps.

    A plan among the cycle's lessons gives its steps.
    """
    proposal, outcome = experiment.proposal, experiment.outcome
    objective = case.campaign.objective
    failed = experiment.score is None
    if failed:
        end = f"{outcome.status}: {outcome.reason or outcome.cause}"
    else:
        end = f"{objective.metric} {objective.value(experiment.score or 0.0):.4g}"
        if case.baseline is not None:
            end += f", {(experiment.score or 0.0) - case.baseline.mean:+.4g} against the baseline"
    what = describe_config(case.campaign.name, outcome.config)
    if proposal.kind == "code":
        what = f"{case.campaign.name}: {proposal.operator}, {proposal.rationale}"
    plans = [lesson.steps for lesson in lessons if lesson.steps and lesson.evidence == (proposal.id,)]
    return Trajectory(
        id=content_id("t", case.campaign_id, proposal.id),
        campaign_id=case.campaign_id,
        cycle=proposal.cycle,
        proposal_id=proposal.id,
        parents=proposal.parents,
        operator=proposal.proposer,
        strategy=case.mode,
        steps=plans[0] if plans else (proposal.rationale,),
        config=outcome.config,
        success_score=experiment.score if experiment.score is not None else 0.0,
        failure_reasons=(outcome.reason or outcome.cause or outcome.status,) if failed else (),
        metrics=outcome.metrics,
        code_changes=str(proposal.config.get(PATCH, "")),
        test_results=_tested(outcome),
        summary=f"{what}; {proposal.proposer} → {end}",
    )


def _tested(outcome: Outcome) -> TestResults | None:
    """What the judge says of the tests of a candidate; None where there were none."""
    told = outcome.details.get("tests")
    if not told:
        return None
    return TestResults(
        success=not told["failed"] and outcome.cause != "tests",
        execution_time=outcome.duration_s,
        steps_completed=told["passed"],
    )


def candidate_rows(experiments: Sequence[Experiment], case: Case) -> list[CandidateRow]:
    """One row a judged candidate, for the archive that forgets nothing."""
    population = case.population
    assert population is not None
    return [
        CandidateRow(
            id=e.proposal.id,
            campaign_id=case.campaign_id,
            cycle=e.proposal.cycle,
            operator=e.proposal.operator,
            status=e.outcome.status,
            score=e.score,
            parents=e.proposal.parents,
            strategy=case.mode,
            measures={
                name: value
                for name, value in e.outcome.metrics.items()
                if name in ("speedup", "speedup_low", "speedup_high", "seconds", "base_seconds", "pairs")
            },
            touched=tuple(population.changed_of(e.proposal)),
            reason="" if e.outcome.ok else f"{e.outcome.cause}: {e.outcome.reason}",
            artifact=str(e.proposal.config.get(PATCH, "")),
        )
        for e in experiments
    ]


def memories(trajectories: Sequence[Trajectory], lessons: Sequence[Lesson], case: Case) -> list[MemoryItem]:
    """Trajectories and lessons as recall takes them."""
    tried = [
        MemoryItem(
            id=t.id,
            collection="trajectories",
            campaign_id=case.campaign_id,
            text=t.summary,
            metadata={
                "proposal_id": t.proposal_id,
                "config": json.dumps(t.config),
                "objective": f"{case.campaign.objective.goal} {case.campaign.objective.metric}",
                **({} if t.failure_reasons else {"score": t.success_score}),
            },
        )
        for t in trajectories
    ]
    learned = [
        MemoryItem(id=lesson.id, collection="lessons", campaign_id=case.campaign_id, text=lesson.text, metadata={})
        for lesson in lessons
        if lesson.withdraws is None
    ]
    return [*tried, *learned]


def remarks(annotated: Sequence[Experiment], case: Case) -> list[MemoryItem]:
    """Carried-out code and comment proposals as recall takes them: which files, and what their comments were worth."""
    return [
        MemoryItem(
            id=content_id("c", case.campaign_id, e.proposal.id),
            collection="comments",
            campaign_id=case.campaign_id,
            text=f"{case.campaign.name}: {e.proposal.kind} of {', '.join(e.proposal.files)} by {e.proposal.proposer}; "
            f"{e.proposal.rationale}",
            metadata={"proposal_id": e.proposal.id, **({"score": r} if (r := e.outcome.metrics.get("reward")) else {})},
        )
        for e in annotated
    ]


def credit(experiments: Sequence[Experiment], case: Case, proposers: Mapping[str, TrackRecord]) -> list[TrackRecord]:
    """The track records of the voters and proposers that this cycle has judged.

    What happened is y, the share of earlier trials that the outcome beats (0 for a failed or stopped job).  A vote of
    score s and confidence c forecast  p = ½ + c s / 2  and earns 1 − |p − y|; a proposer earns y.
    """
    records = {("voter", name): record for name, record in case.records.items()}
    records |= {("proposer", name): record for name, record in proposers.items()}
    changed: dict[tuple[str, str], TrackRecord] = {}

    def add(role: Literal["voter", "proposer"], name: str, earned: float) -> None:
        old = changed.get((role, name)) or records.get((role, name)) or TrackRecord(name=name, role=role)
        changed[role, name] = standing(old, earned)

    for experiment in experiments:
        if not experiment.outcome.tells_of_config or experiment.proposal.source == "human":
            continue
        happened = _kept(experiment) if experiment.proposal.is_improvement else rank(experiment.score, case)
        add("proposer", experiment.proposal.proposer, happened)
        for vote in case.votes:
            if vote.proposal_id == experiment.proposal.id and vote.confidence > 0:
                add("voter", vote.voter, 1 - abs(forecast(vote) - happened))
    return list(changed.values())


def _kept(experiment: Experiment) -> float:
    """Of an improvement of a live service: 1 when it stayed and brought something, 0 when it was taken back."""
    if not experiment.outcome.ok:
        return 0.0
    return 1.0 if experiment.score is not None and experiment.score > 0 else 0.5


def forecast(vote: Vote) -> float:
    """The share of earlier trials that the voter expected the outcome to beat."""
    return 0.5 + vote.confidence * vote.score / 2


def rank(score: float | None, case: Case) -> float:
    """The share of earlier trials (the baseline among them) that `score` beats; ties count half, None is 0."""
    if score is None:
        return 0.0
    told = [*case.scores, *([case.baseline.mean] if case.baseline else [])]
    if not told:
        return 0.5
    return math.fsum(1.0 if score > s else 0.5 if score == s else 0.0 for s in told) / len(told)


def standing(old: TrackRecord, earned: float) -> TrackRecord:
    """The record with one more credit.

    weight = max(0.2, 1 + 4 (mean credit − 0.75) · n / (n + 6)): 1 without evidence or for a constant ½, towards 2 for
    one that is always right, and never silent.
    """
    judged, right = old.judged + 1, old.right + earned
    weight = max(0.2, 1 + 4 * (right / judged - NEUTRAL) * judged / (judged + PRIOR))
    return old.model_copy(update={"judged": judged, "right": right, "weight": weight})
