"""What a campaign on a live service has improved, as plain data: the rows behind `history` and `status`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.improvement import ImpactAssessment
from memory.history import Cycle, History
from service.tables import columns

__all__ = ["improvement_rows", "improvements_text"]

STATUS = {"completed": "kept"}


def improvement_rows(history: History) -> list[dict[str, Any]]:
    """One row for every improvement that was made, in the order of the cycles: kept, rolled_back, failed, refused, or
    watched while nobody knows yet."""
    return [row for number in sorted(history.cycles) for row in _rows(number, history.cycles[number])]


def improvements_text(told: Mapping[str, Any]) -> str:
    """The rows as a table; of what did not stay, the reason."""
    rows = [
        (
            row["cycle"],
            row["proposal"],
            row["proposer"],
            row["status"].replace("_", " "),
            _p95(row),
            _latency(row),
            f"{row['change']}: {row['reason']}" if row["status"] not in ("kept", "watched") else row["change"],
        )
        for row in told["improvements"]
    ]
    if not rows:
        return f"{told['campaign']}: nothing was improved yet"
    return columns(rows, ("cycle", "proposal", "proposer", "status", "p95 ms", "latency", "change"))


def _p95(row: Mapping[str, Any]) -> str:
    before, after = row["p95_before_ms"], row["p95_after_ms"]
    return "–" if before is None or after is None else f"{before:.1f} → {after:.1f}"


def _latency(row: Mapping[str, Any]) -> str:
    """How it changed, with the interval: below 0 is faster."""
    gain, low, high = (row[f"latency_reduction_{part}percent"] for part in ("", "low_", "high_"))
    if gain is None:
        return "–"
    return f"{-gain:+.0f} %" + ("" if low is None or high is None else f" [{-high:+.0f}, {-low:+.0f}]")


def _rows(number: int, cycle: Cycle) -> list[dict[str, Any]]:
    told = list(cycle.report.assessments if cycle.report is not None else cycle.assessments.values())
    known = {one.proposal_id for one in told}
    rows = [_row(number, cycle, one) for one in told if one.proposal_id in cycle.proposals]
    return rows + [
        _row(number, cycle, ImpactAssessment(opportunity_id="", proposal_id=name, status="completed"), status="watched")
        for name in cycle.deployed
        if name not in known and name in cycle.proposals
    ]


def _row(number: int, cycle: Cycle, told: ImpactAssessment, status: str = "") -> dict[str, Any]:
    proposal = cycle.carried_out(told.proposal_id)
    found = cycle.opportunities.get(proposal.opportunity)
    before, after = told.baseline, told.final
    deployed = cycle.deployed.get(told.proposal_id)
    return {
        "cycle": number,
        "proposal": told.proposal_id,
        "proposer": proposal.proposer,
        "opportunity": "" if found is None else f"{found.kind} of {found.function or found.subject or found.component}",
        "change": proposal.rationale,
        "files": sorted(proposal.files),
        "deployment": deployed.deployment_id if deployed else told.deployment_id,
        "status": status or STATUS.get(told.status, told.status),
        "reason": told.reason,
        "p95_before_ms": _ms(before.p95_s if before else None),
        "p95_after_ms": _ms(after.p95_s if after else None),
        "latency_reduction_percent": told.latency_reduction_percent,
        "latency_reduction_low_percent": told.latency_reduction_low_percent,
        "latency_reduction_high_percent": told.latency_reduction_high_percent,
        "rollback_seconds": told.rollback_seconds,
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds
