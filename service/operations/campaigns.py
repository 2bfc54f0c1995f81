"""Looking at campaigns: all of them, how one stands, its trials, its cycles, its report."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from core.errors import NotFoundError
from memory.history import Cycle, History
from memory.ledger import StoredCampaign
from service.live_rows import improvement_rows
from service.operations.desk import Desk
from service.operations.ids import CampaignId, Number, OfCampaign, Paged, PagedByNumber
from service.operations.operation import Told
from service.operations.pages import page, whole_number
from service.views import campaign_row, standing, trial_rows

__all__ = [
    "CampaignPage",
    "CycleNumber",
    "CyclePage",
    "CycleTold",
    "Listing",
    "Report",
    "Standing",
    "TrialPage",
    "TrialsOf",
    "cycle",
    "cycles",
    "listing",
    "report",
    "status",
    "trials",
]

Status = Literal["running", "waiting", "interrupted", "finished", "failed"]


class Origin(Told):
    """Where a fork comes from."""

    campaign: str
    at: str = Field(description="a whole cycle such as 3, or the node that came next, such as 3/voter")
    edits: dict[str, Any] = Field(default={}, description="what was changed: set, guidance, agenda, rulings")


class CampaignRow(Told):
    """One line about a campaign; values are in the metric's own direction."""

    campaign: str
    status: Status
    cycles: int = Field(description="whole ones")
    trials: int
    metric: str
    baseline: float | None
    best: float | None
    verdict: str | None = Field(description="better, worse, cannot tell; null before it was reached")
    fork_of: Origin | None = None
    started_at: float = Field(description="UTC seconds")


class CampaignPage(Told):
    campaigns: list[CampaignRow]
    next: str | None = None


class Listing(Paged):
    """The campaigns, the oldest first."""


def listing(taken: Listing, desk: Desk, *, every: bool = False) -> CampaignPage:
    """`every`: all on one page, as the command line shows them."""
    stored = sorted(desk.ledger.campaigns(), key=lambda one: (one.created_at, one.id))
    chosen, following = page(stored, lambda one: one.id, None if every else taken.limit, taken.after)
    owners = desk.ledger.leases.owners()
    with desk.histories.of_each(one.id for one in chosen) as histories:
        rows = [
            campaign_row(one, history, owners.get(f"campaign {one.id}"))
            for one, history in zip(chosen, histories, strict=True)
        ]
    return CampaignPage.model_validate({"campaigns": rows, "next": following})


class Best(Told):
    value: float
    gain: float | None = Field(description="of scores, against the baseline: above 0 is better")
    proposal: str
    proposer: str
    cycle: int
    config: dict[str, Any]


class Standing(Told):
    """How a campaign stands now."""

    campaign: str
    status: Status
    pid: int | None = Field(description="the process that runs it")
    host: str | None
    cycle: int
    finished_cycles: int
    cycles: int = Field(description="in all, by its budget")
    objective: dict[str, str]
    baseline: dict[str, float] | None = Field(description="`value` and `sd`, the noise floor")
    best: Best | None
    jobs: dict[str, int] = Field(description="finished ones by status")
    improvements: dict[str, int] | None = Field(description="of a live service, by status; null for other campaigns")
    running: list[dict[str, Any]] = Field(description="jobs under way")
    waiting: list[dict[str, Any]] = Field(description="questions to a person, open ones")
    model: dict[str, Any] | None = Field(description="what language models took; null without one")
    fork_of: Origin | None = None
    started_at: float
    updated_at: float
    ended: str | None = Field(description="why it ended, for a person")
    resume: str | None = Field(description="the command that goes on with it")


def status(taken: OfCampaign, desk: Desk) -> Standing:
    stored = desk.ledger.campaign(taken.campaign)
    with desk.histories.of(stored.id) as history:
        return Standing.model_validate(standing(desk.ledger, stored, history))


class Trial(Told):
    cycle: int
    proposal: str
    proposer: str
    value: float | None = Field(description="of the metric; null when it gave none")
    status: str
    reason: str
    job: str
    seconds: float
    config: dict[str, Any]
    change: str


class Improvement(Told):
    """Of a live service: what was deployed, and what became of it.  Reductions above 0 are gains."""

    cycle: int
    proposal: str
    proposer: str
    opportunity: str
    change: str
    files: list[str]
    deployment: str = Field(description="empty for what never went live")
    status: Literal["kept", "rolled_back", "failed", "refused", "needs_model", "watched"]
    reason: str
    p95_before_ms: float | None
    p95_after_ms: float | None
    latency_reduction_percent: float | None
    latency_reduction_low_percent: float | None
    latency_reduction_high_percent: float | None
    rollback_seconds: float | None


class TrialPage(Told):
    """`improvements` in place of trials: of a campaign on a live service."""

    campaign: str
    metric: str
    baseline: float | None
    trials: list[Trial]
    improvements: list[Improvement] = Field(default=[])
    next: str | None = None


class TrialsOf(Paged):
    """The finished trials of a campaign, in the order of their rulings."""

    campaign: CampaignId


def _proposal(row: dict[str, Any]) -> str:
    return str(row["proposal"])


def trials(taken: TrialsOf, desk: Desk, *, every: bool = False) -> TrialPage:
    """`every`: all on one page, as the command line shows them."""
    stored = desk.ledger.campaign(taken.campaign)
    objective = stored.definition.objective
    with desk.histories.of(stored.id) as history:
        whole, baseline = history.experiments(), history.baseline
        chosen, following = page(whole, lambda one: one.proposal.id, None if every else taken.limit, taken.after)
        rows, improved = trial_rows(stored, chosen), list[dict[str, Any]]()
        if stored.definition.kind == "live":
            every_one = improvement_rows(history)
            some, following = page(every_one, _proposal, None if every else taken.limit, taken.after)
            improved = list(some)
    return TrialPage.model_validate(
        {
            "campaign": stored.id,
            "metric": objective.metric,
            "baseline": None if baseline is None else objective.value(baseline.mean),
            "trials": rows,
            "improvements": improved,
            "next": following,
        }
    )


class CycleRow(Told):
    """A cycle in short; `metrics` are those of its end."""

    cycle: int
    finished: bool
    started_at: float
    mode: str | None
    reason: str
    proposals: int
    accepted: int
    carried_out: int
    failures: int = Field(description="roles that raised")
    metrics: dict[str, float | None]


class CyclePage(Told):
    campaign: str
    cycles: list[CycleRow]
    next: str | None = None


class CyclesOf(PagedByNumber):
    """The cycles of a campaign, the first one first."""

    campaign: CampaignId


def cycles(taken: CyclesOf, desk: Desk) -> CyclePage:
    stored = desk.ledger.campaign(taken.campaign)
    after = whole_number(taken.after)
    with desk.histories.of(stored.id) as history:
        numbers = [number for number in sorted(history.cycles) if number > after]
        rows = [_row(history.cycles[number]) for number in numbers[: taken.limit]]
    following = str(numbers[taken.limit - 1]) if len(numbers) > taken.limit else None
    return CyclePage.model_validate({"campaign": stored.id, "cycles": rows, "next": following})


class CycleTold(CycleRow):
    """A cycle whole: the stages with their figures, the proposals in the order of their rulings, what was learned."""

    campaign: str
    stages: dict[str, dict[str, Any]]
    direction: dict[str, Any] | None
    decided: list[str] = Field(description="ids of the proposals, in the order of the rulings")
    failed_roles: list[dict[str, str]]
    track_records: list[dict[str, Any]] = Field(description="that this cycle changed")


class CycleNumber(OfCampaign):
    cycle: Number


def cycle(taken: CycleNumber, desk: Desk) -> CycleTold:
    stored = desk.ledger.campaign(taken.campaign)
    with desk.histories.of(stored.id) as history:
        found = history.cycles.get(taken.cycle)
        if found is None:
            raise NotFoundError(
                f"{stored.id} has no cycle {taken.cycle}",
                where="cycle",
                hint=f"its last is {max(history.cycles, default=0)}",
            )
        return CycleTold.model_validate(_whole(stored, history, found))


class Report(Told):
    """The HTML report: one file that works offline."""

    html: str


def report(taken: OfCampaign, desk: Desk) -> Report:
    from service.report import render_report

    stored = desk.ledger.campaign(taken.campaign)
    history = History.load(desk.ledger, stored.id)  # its own: drawing takes too long to hold the shared one
    return Report(html=render_report(desk.ledger, stored, history))


def _row(cycle: Cycle) -> dict[str, Any]:
    direction, finished = cycle.direction, cycle.finished
    return {
        "cycle": cycle.number,
        "finished": finished is not None,
        "started_at": cycle.started_at,
        "mode": direction.mode if direction else None,
        "reason": direction.reason if direction else "",
        "proposals": len(cycle.proposals),
        "accepted": sum(e.ruling.decision in ("accept", "amend") for e in cycle.rulings.values()),
        "carried_out": len(cycle.outcomes) + len(cycle.applied),
        "failures": len(cycle.failures),
        "metrics": dict(finished.metrics) if finished else {},
    }


def _whole(stored: StoredCampaign, history: History, cycle: Cycle) -> dict[str, Any]:
    return {
        **_row(cycle),
        "campaign": stored.id,
        "stages": dict(cycle.finished.stages) if cycle.finished else {},
        "direction": cycle.direction.model_dump(mode="json", exclude={"version"}) if cycle.direction else None,
        "decided": [*cycle.rulings, *(p for p in cycle.proposals if p not in cycle.rulings)],
        "failed_roles": [{"role": f.role, "name": f.name, "error": f.error} for f in cycle.failures],
        "track_records": [r.model_dump(mode="json", exclude={"version"}) for r in history.records_of(cycle.number)],
    }
