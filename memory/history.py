"""The history of one campaign: a view of the event stream, brought up to date event by event.

What a role sees in cycle c is what was known before c began (`before=c`), however far the stream has gone on:
that is what makes a repeated node answer as it did the first time.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.events import (
    AnyEvent,
    BaselineMeasured,
    BestChallenged,
    BestImproved,
    CampaignFinished,
    CampaignInterrupted,
    CampaignStarted,
    ControlFinished,
    CycleFinished,
    CycleStarted,
    DirectionSet,
    ForkedFrom,
    GuidanceDelivered,
    GuidanceUnused,
    GuidanceUsed,
    ImprovementAssessed,
    ImprovementDeployed,
    ImprovementNotDrafted,
    ImprovementReported,
    ImprovementRolledBack,
    ImprovementValidated,
    JobFinished,
    JobStarted,
    LessonLearned,
    ModelCalled,
    ModelChosen,
    OpportunityFound,
    ProposalApplied,
    ProposalMade,
    ProposalRuled,
    ProposalSharpened,
    ProposalTallied,
    RoleFailed,
    SealedEvaluated,
    TelemetryAnalysed,
    TrackRecordUpdated,
    TrajectoryKept,
    VerdictReached,
    VoteCast,
)
from core.guidance import STAGES, Guidance
from core.improvement import ImpactAssessment, ImprovementOpportunity, ImprovementReport
from core.records import (
    Baseline,
    Challenge,
    Direction,
    Experiment,
    Lesson,
    Outcome,
    Proposal,
    SealedResult,
    TrackRecord,
    Trajectory,
    Verdict,
)
from memory.ledger import Ledger

__all__ = ["Cycle", "History"]


def mean_of(scores: Sequence[float]) -> float:
    return math.fsum(scores) / len(scores)


@dataclass
class Cycle:
    """Everything said and done in one cycle, in the order of the proposals."""

    number: int
    direction: Direction | None = None
    proposals: dict[str, ProposalMade] = field(default_factory=dict)
    sharpened: dict[str, ProposalSharpened] = field(default_factory=dict)
    votes: dict[str, list[VoteCast]] = field(default_factory=lambda: defaultdict(list))
    tallies: dict[str, ProposalTallied] = field(default_factory=dict)
    rulings: dict[str, ProposalRuled] = field(default_factory=dict)
    """As they were decided in the end: by the supervisor, or by a person who was asked."""
    judged: dict[str, ProposalRuled] = field(default_factory=dict)
    """As the supervisor gave them."""
    outcomes: dict[str, JobFinished] = field(default_factory=dict)
    applied: dict[str, ProposalApplied] = field(default_factory=dict)
    failures: list[RoleFailed] = field(default_factory=list)
    analysed: TelemetryAnalysed | None = None
    opportunities: dict[str, ImprovementOpportunity] = field(default_factory=dict)
    not_drafted: dict[str, ImprovementNotDrafted] = field(default_factory=dict)
    validated: dict[str, ImprovementValidated] = field(default_factory=dict)
    deployed: dict[str, ImprovementDeployed] = field(default_factory=dict)
    rolled_back: dict[str, ImprovementRolledBack] = field(default_factory=dict)
    assessments: dict[str, ImpactAssessment] = field(default_factory=dict)
    report: ImprovementReport | None = None
    finished: CycleFinished | None = None
    started_at: float = 0.0

    def voted_on(self, proposal_id: str) -> Proposal:
        """The proposal as it lay on the agenda: sharpened, where it was."""
        sharpened = self.sharpened.get(proposal_id)
        return sharpened.proposal if sharpened else self.proposals[proposal_id].proposal

    def carried_out(self, proposal_id: str) -> Proposal:
        """What was to run for a proposal: the supervisor's amended form where there is one."""
        ruling = self.rulings.get(proposal_id)
        return (ruling and ruling.ruling.amended) or self.voted_on(proposal_id)

    def foreseen(self, told: ImpactAssessment) -> ImpactAssessment:
        """The assessment, with the gain that was foreseen when its opportunity was found."""
        found = self.opportunities.get(told.opportunity_id)
        return (
            told if found is None else told.model_copy(update={"foreseen_gain_percent": found.performance_gain_percent})
        )

    def experiments(self) -> list[Experiment]:
        """The finished trials, in the order of the rulings: independent of which job ended first.

        Code and comment proposals are no trials: they say nothing about a configuration.
        """
        order = [*self.rulings, *(p for p in self.outcomes if p not in self.rulings)]
        return [
            Experiment(proposal=self.carried_out(p), outcome=self.outcomes[p].outcome, score=self.outcomes[p].score)
            for p in order
            if p in self.outcomes and p in self.proposals
        ]


class History:
    def __init__(self, campaign_id: str) -> None:
        self.campaign_id = campaign_id
        self.cycles: dict[int, Cycle] = {}
        self.baseline: Baseline | None = None
        self.jobs: dict[str, JobStarted] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.ends: dict[str, JobFinished] = {}
        self.controls: dict[str, ControlFinished] = {}
        self.verdict: Verdict | None = None
        self.challenges: list[tuple[int, Challenge]] = []
        self.improvements: list[BestImproved] = []
        self.sealed: SealedResult | None = None
        self.trajectories: dict[str, Trajectory] = {}
        self.models: dict[str, ModelChosen] = {}
        self.model_calls: list[ModelCalled] = []
        self.guidance_delivered: dict[str, GuidanceDelivered] = {}
        self.guidance_used: list[GuidanceUsed] = []
        self.guidance_unused: list[GuidanceUnused] = []
        self.fork_of: ForkedFrom | None = None
        self.started_at = 0.0
        self.ended: CampaignFinished | CampaignInterrupted | None = None
        self.seq = 0
        self.last_at = 0.0
        """When the latest event was told."""
        self._lessons: list[LessonLearned] = []
        self._records: list[TrackRecordUpdated] = []
        self._cached: tuple[Experiment, ...] = ()
        self._cached_up_to = 0
        self._best: tuple[int, Experiment | None] = (-1, None)

    @classmethod
    def load(cls, ledger: Ledger, campaign_id: str) -> History:
        """The history as the ledger has it now."""
        history = cls(campaign_id)
        history.catch_up(ledger)
        return history

    def catch_up(self, ledger: Ledger) -> None:
        """Read what was appended since, by any process."""
        for event in ledger.events(self.campaign_id, after=self.seq):
            self.apply(event)

    def cycle(self, number: int) -> Cycle:
        """The cycle, begun if it is new."""
        return self.cycles.setdefault(number, Cycle(number))

    @property
    def last_finished_cycle(self) -> int:
        """The number of the last cycle that is whole; 0 when none is."""
        return max((number for number, cycle in self.cycles.items() if cycle.finished), default=0)

    def experiments(self, before: int | None = None) -> tuple[Experiment, ...]:
        """The finished trials of the cycles before `before` (default: of all), oldest first."""
        if before is None:
            before = max(self.cycles, default=0) + 1
        whole = min(before, self.last_finished_cycle + 1)
        if whole < self._cached_up_to:
            self._cached, self._cached_up_to = (), 0
        if whole > self._cached_up_to:
            fresh = [
                e for n in sorted(self.cycles) if self._cached_up_to <= n < whole for e in self.cycles[n].experiments()
            ]
            self._cached, self._cached_up_to = (*self._cached, *fresh), whole
        open_ones = [e for n in sorted(self.cycles) if whole <= n < before for e in self.cycles[n].experiments()]
        return (*self._cached, *open_ones) if open_ones else self._cached

    def best(self, before: int | None = None) -> Experiment | None:
        """The finished trial with the highest mean score over its seeds, shrunk; the earliest of equals.

        With ȳ the mean of n runs, m and τ² mean and variance over all trials and σ the noise floor:
        m + (ȳ − m) n τ² / (n τ² + σ²).  Trials that ran once keep their order; one that was lucky once and then
        repeated loses its luck.  Source: James & Stein 1961, in the empirical-Bayes form of Efron & Morris 1973.
        """
        if before is not None:
            return self._best_of(before)
        if self._best[0] != self.seq:
            self._best = (self.seq, self._best_of(None))
        return self._best[1]

    def _best_of(self, before: int | None) -> Experiment | None:
        scored = [e for e in self.experiments(before) if e.score is not None and e.outcome.ok]
        if not scored:
            return None
        runs = self.runs(before)
        told = [runs.get(e.proposal.id, (e.score or 0.0,)) for e in scored]
        middle = math.fsum(map(mean_of, told)) / len(told)
        spread = math.fsum((mean_of(r) - middle) ** 2 for r in told) / len(told)
        noise = self.baseline.noise_sd**2 if self.baseline else 0.0

        def standing(scores: tuple[float, ...]) -> float:
            trust = len(scores) * spread / (len(scores) * spread + noise) if spread > 0 else 1.0
            return middle + (mean_of(scores) - middle) * trust

        return scored[max(range(len(scored)), key=lambda i: standing(told[i]))]

    def runs(self, before: int | None = None) -> dict[str, tuple[float, ...]]:
        """The scores of every trial that was repeated before that cycle: its own first, then the repeats by seed.

        The baseline's repeats among the challenges stand under `baseline`.
        """
        repeats: dict[str, dict[int, float]] = defaultdict(dict)
        for cycle, challenge in self.challenges:
            if before is None or cycle < before:
                repeats[challenge.proposal_id] |= dict(zip(challenge.seeds, challenge.scores, strict=True))
                repeats[challenge.incumbent] |= dict(zip(challenge.seeds, challenge.incumbent_scores, strict=True))
        own = {e.proposal.id: (e.score,) for e in self.experiments(before) if e.score is not None}
        return {name: (*own.get(name, ()), *seeds.values()) for name, seeds in repeats.items() if seeds}

    def applied(self, before: int) -> tuple[Proposal, ...]:
        """The code and comment proposals that were carried out in cycles before `before`, oldest first."""
        told = [cycle for number, cycle in sorted(self.cycles.items()) if number < before]
        return tuple(cycle.carried_out(p) for cycle in told for p, event in cycle.applied.items() if event.outcome.ok)

    def assessed(self, before: int | None = None) -> tuple[tuple[Proposal, ImpactAssessment], ...]:
        """What became of every improvement that was put live in cycles before `before`, oldest first."""
        told = [cycle for number, cycle in sorted(self.cycles.items()) if before is None or number < before]
        return tuple(
            (c.carried_out(p), c.foreseen(a)) for c in told for p, a in c.assessments.items() if p in c.proposals
        )

    def lessons(self, before: int | None = None) -> tuple[Lesson, ...]:
        """The lessons that stand: learned before that cycle and not withdrawn by then."""
        told = [e.lesson for e in self._lessons if before is None or e.cycle < before]
        withdrawn = {lesson.withdraws for lesson in told}
        return tuple(lesson for lesson in told if lesson.id not in withdrawn and lesson.withdraws is None)

    def all_lessons(self) -> tuple[Lesson, ...]:
        """Every lesson ever told, withdrawals too."""
        return tuple(event.lesson for event in self._lessons)

    def track_records(self, role: str, before: int | None = None) -> dict[str, TrackRecord]:
        """The latest record of each voter or proposer as it was before that cycle."""
        latest: dict[str, TrackRecord] = {}
        for event in self._records:
            if event.record.role == role and (before is None or event.cycle < before):
                latest[event.record.name] = event.record
        return latest

    def records_of(self, cycle: int) -> list[TrackRecord]:
        """The track records that a cycle changed, voters and proposers."""
        return [event.record for event in self._records if event.cycle == cycle]

    def guidance(self, cycle: int, node: str) -> tuple[Guidance, ...]:
        """The guidance in force at a node of a cycle: delivered there or before, and not dropped by then."""
        now = _moment(cycle, node)
        gone = {
            event.guidance_id
            for event in self.guidance_unused
            if event.why == "dropped" and _moment(event.cycle, event.node) <= now
        }
        told = self.guidance_delivered.values()
        return tuple(e.guidance for e in told if _moment(e.cycle, e.node) <= now and e.guidance.id not in gone)

    def apply(self, event: AnyEvent) -> None:
        """Take in one event of this campaign; others, and ones already taken in, are passed over."""
        if event.campaign_id != self.campaign_id or not event.kept or event.seq <= self.seq:
            return
        self.seq = event.seq
        self.last_at = max(self.last_at, event.at)
        cycle = self.cycles.get(event.cycle)
        match event:
            case CampaignStarted():
                self.started_at = event.at
            case ForkedFrom():
                self.fork_of = event
            case CampaignFinished() | CampaignInterrupted():
                self.ended = event
            case ModelChosen():
                self.models[event.asked] = event
            case ModelCalled():
                self.model_calls.append(event)
            case BaselineMeasured():
                self.baseline = event.baseline
            case CycleStarted():
                self.cycle(event.cycle).started_at = event.at
            case DirectionSet():
                self.cycle(event.cycle).direction = event.direction
            case GuidanceDelivered():
                self.guidance_delivered[event.guidance.id] = event
            case GuidanceUsed():
                self.guidance_used.append(event)
            case GuidanceUnused():
                self.guidance_unused.append(event)
            case ProposalMade():
                self.cycle(event.cycle).proposals[event.proposal.id] = event
            case ProposalSharpened():
                self.cycle(event.cycle).sharpened[event.proposal.id] = event
            case ProposalApplied():
                self.cycle(event.cycle).applied[event.outcome.proposal_id] = event
            case VoteCast():
                self.cycle(event.cycle).votes[event.vote.proposal_id].append(event)
            case ProposalTallied():
                self.cycle(event.cycle).tallies[event.tally.proposal_id] = event
            case ProposalRuled():
                self.cycle(event.cycle).rulings[event.ruling.proposal_id] = event
                if not event.approval:
                    self.cycle(event.cycle).judged[event.ruling.proposal_id] = event
            case TelemetryAnalysed():
                self.cycle(event.cycle).analysed = event
            case OpportunityFound():
                self.cycle(event.cycle).opportunities[event.opportunity.id] = event.opportunity
            case ImprovementNotDrafted():
                self.cycle(event.cycle).not_drafted[event.opportunity_id] = event
            case ImprovementValidated():
                self.cycle(event.cycle).validated[event.proposal_id] = event
            case ImprovementDeployed():
                self.cycle(event.cycle).deployed[event.proposal_id] = event
            case ImprovementRolledBack():
                self.cycle(event.cycle).rolled_back[event.proposal_id] = event
            case ImprovementAssessed():
                self.cycle(event.cycle).assessments[event.subject] = event.assessment
            case ImprovementReported():
                self.cycle(event.cycle).report = event.report
            case RoleFailed():
                self.cycle(event.cycle).failures.append(event)
            case JobStarted():
                self.jobs[event.job_id] = event
            case JobFinished():
                self.outcomes[event.outcome.job_id] = event.outcome
                self.ends.setdefault(event.outcome.job_id, event)
                if event.purpose == "proposal" and cycle is not None:
                    cycle.outcomes[event.outcome.proposal_id] = event
                    if event.cycle < self._cached_up_to:  # measured elsewhere, and told of later
                        self._cached, self._cached_up_to = (), 0
            case LessonLearned():
                self._lessons.append(event)
            case TrackRecordUpdated():
                self._records.append(event)
            case TrajectoryKept():
                self.trajectories[event.trajectory.id] = event.trajectory
            case ControlFinished():
                self.controls[event.arm] = event
            case BestChallenged():
                self.challenges.append((event.cycle, event.challenge))
            case BestImproved():
                self.improvements.append(event)
            case SealedEvaluated():
                self.sealed = event.result
            case VerdictReached():
                self.verdict = event.verdict
            case CycleFinished():
                self.cycle(event.cycle).finished = event
            case _:
                pass


def _moment(cycle: int, node: str) -> tuple[int, int]:
    """When a node of a cycle is, to be compared."""
    return cycle, STAGES.index(node)
