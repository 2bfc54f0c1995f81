"""The end of a run on a live service: what every improvement came to, the reports, the exit code."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.proposers.planted import PLANTED
from core.errors import ApprovalNeededError, BudgetError, RatchetError
from core.improvement import ImpactAssessment, ImprovementReport
from memory.history import History
from memory.ledger import Ledger
from memory.state_folder import StateFolder
from service.improvement_report import write_cycle_report
from service.live_lines import assessment_line
from service.output import Output
from service.tables import columns

__all__ = ["ROLLED_BACK", "cycle_reports", "live_summary", "show_live_end"]

ROLLED_BACK = 6
"""The exit code when the last improvement was taken back, and nobody had planted it."""


def show_live_end(
    args: argparse.Namespace,
    output: Output,
    folder: StateFolder,
    ledger: Ledger,
    campaign_id: str,
    status: str,
    reason: str,
    load: Mapping[str, Any],
) -> int:
    """Show it, and write the report of the last cycle; answers the exit code."""
    history = History.load(ledger, campaign_id)
    reports = cycle_reports(history)
    failed = status == "finished" and not reports
    summary = live_summary(history, "failed" if failed else status, reason, load)
    trouble: RatchetError | None = None
    if reports:
        try:
            path = Path(args.report) if getattr(args, "report", None) else None
            summary["report"] = str(write_cycle_report(folder, reports[-1], history, path))
        except RatchetError as error:  # the run is whole all the same
            trouble = error
    output.result(summary, _text(summary, reports))
    if trouble is not None:
        output.error(trouble)
    if status in ("interrupted", "budget", "waiting"):
        output.say(f"go on with: {summary['resume']}")
    if status == "waiting":
        return ApprovalNeededError.exit_code
    if status == "budget":
        return BudgetError.exit_code
    if failed or trouble is not None:
        return 1 if failed or trouble is None else trouble.exit_code
    return ROLLED_BACK if _last_was_taken_back(history) else 0


def live_summary(history: History, status: str, reason: str, load: Mapping[str, Any]) -> dict[str, Any]:
    """The run as plain data."""
    reports = cycle_reports(history)
    return {
        "campaign": history.campaign_id,
        "status": status,
        "reason": reason,
        "load": dict(load),
        "cycles": [
            {
                **report.model_dump(mode="json", exclude={"version", "opportunities"}),
                "opportunities": [one.model_dump(mode="json", exclude={"version"}) for one in report.opportunities],
                "attempted": report.attempted,
                "deployed": report.deployed,
                "rolled_back": report.rolled_back,
                "total_impact": report.total_impact,
            }
            for report in reports
        ],
        "lessons": [lesson.text for lesson in history.lessons()],
        "report": None,
        "resume": None if status == "finished" else f"python run_graph.py resume {history.campaign_id}",
    }


def cycle_reports(history: History) -> list[ImprovementReport]:
    """Of every cycle that is whole, in their order."""
    return [cycle.report for _, cycle in sorted(history.cycles.items()) if cycle.report is not None]


def _last_was_taken_back(history: History) -> bool:
    told = [one for report in cycle_reports(history) for one in report.assessments if _was_live(one)]
    return bool(told) and told[-1].status == "rolled_back" and told[-1].opportunity_id != PLANTED


def _was_live(told: ImpactAssessment) -> bool:
    return told.status in ("completed", "rolled_back")


def _text(summary: Mapping[str, Any], reports: list[ImprovementReport]) -> str:
    lines = [f"{summary['campaign']}: {summary['status']}, {summary['reason']}", ""]
    rows = [
        (r.cycle, r.telemetry.get("requests", 0), len(r.opportunities), r.attempted, r.deployed, r.rolled_back)
        for r in reports
    ]
    heads = ("cycle", "requests seen", "opportunities", "looked into", "deployed", "rolled back")
    lines += [columns(rows, heads), ""] if rows else []
    for report in reports:
        for told in report.assessments:
            planted = "PLANTED  " if told.opportunity_id == PLANTED else ""
            if _was_live(told):
                lines.append(f"  {planted}{assessment_line(told)}")
                if told.status == "rolled_back":
                    took = "" if told.rollback_seconds is None else f", back in {told.rollback_seconds:.2f} s"
                    lines.append(f"    {told.reason}{took}")
            elif told.status in ("refused", "failed"):
                lines.append(f"  {planted}{told.proposal_id} {told.status}: {told.reason}")
    if waiting := sum(one.status == "needs_model" for report in reports[-1:] for one in report.assessments):
        lines.append(f"  {waiting} opportunities need a model (--model), or a person: the report says which")
    if load := summary["load"]:
        lines += ["", f"load: {load.get('requests', 0):,} requests meanwhile, {load.get('failed', 0)} failed"]
    if summary["report"]:
        lines.append(f"report: {summary['report']}")
    return "\n".join(lines)
