"""The report of one improvement cycle: one HTML file that works offline, and the same as JSON beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agents.proposers.planted import PLANTED
from core.errors import StorageError
from core.files import write_atomically
from core.improvement import ImpactAssessment, ImprovementReport
from memory.history import History
from memory.state_folder import StateFolder
from service.report import report_environment

__all__ = ["render_cycle_report", "write_cycle_report"]

SHADES = {"completed": "good", "rolled_back": "poor", "failed": "poor"}


def write_cycle_report(
    folder: StateFolder, report: ImprovementReport, history: History, out: Path | None = None
) -> Path:
    """Write HTML to `out` (default: reports/<campaign>-cycle-<n>.html) and JSON beside it; answers the HTML's path.

    Each file is replaced whole or not at all.  Raises StorageError when it cannot be written.
    """
    path = out or folder.reports / f"{report.campaign_id}-cycle-{report.cycle}.html"
    try:
        write_atomically(path, render_cycle_report(report, history), mode=0o644)
        write_atomically(path.with_suffix(".json"), report.model_dump_json(indent=1) + "\n", mode=0o644)
    except StorageError as error:
        hint = "choose another place with --report"
        raise StorageError(f"cannot write the report: {error.what}", where=error.where, hint=hint) from error
    return path


def render_cycle_report(report: ImprovementReport, history: History) -> str:
    """The report as HTML; the earlier cycles of its campaign are in it as a trend."""
    cycle = history.cycle(report.cycle)
    opportunities = {one.id: one for one in report.opportunities}
    return (
        report_environment()
        .get_template("improvement.html")
        .render(
            report=report,
            headline=_headline(report),
            seconds=report.finished_at - report.started_at,
            rows=[
                {
                    "told": told,
                    "opportunity": opportunities.get(told.opportunity_id),
                    "planted": told.opportunity_id == PLANTED,
                    "shade": SHADES.get(told.status, ""),
                    "files": sorted(cycle.proposals[told.proposal_id].proposal.files)
                    if told.proposal_id in cycle.proposals
                    else [],
                    "checks": cycle.validated.get(told.proposal_id),
                    "gain": _gain(told),
                }
                for told in report.assessments
            ],
            trend=[
                {"cycle": number, "report": one.report}
                for number, one in sorted(history.cycles.items())
                if one.report is not None and number <= report.cycle
            ],
        )
    )


def _headline(report: ImprovementReport) -> dict[str, str]:
    live = [one for one in report.assessments if one.status in ("completed", "rolled_back")]
    kept = [one for one in live if one.status == "completed"]
    if not live:
        word = "Nothing was put live"
        return {"answer": "open", "word": word, "sentence": f"{len(report.opportunities)} opportunities were found."}
    gains = [_gain(one) for one in kept if _gain(one)]
    back = [one for one in live if one.status == "rolled_back"]
    planted = " (planted)" if back and all(one.opportunity_id == PLANTED for one in back) else ""
    parts = [f"{len(kept)} stayed live", *gains, *([f"{len(back)} taken back{planted}"] if back else [])]
    word = "Improved" if kept and not back else "Taken back" if back and not kept else "Improved, and one taken back"
    return {"answer": "better" if kept else "worse", "word": word, "sentence": "; ".join(parts) + "."}


def _gain(told: ImpactAssessment) -> str:
    """`p95 45.0 → 18.2 ms, −60 % (−71 to −42)`; empty where one side was not seen."""
    if told.latency_reduction_percent is None or told.baseline is None or told.final is None:
        return ""
    sides = [_ms(told.baseline.p95_s), _ms(told.final.p95_s)]
    text = f"p95 {' → '.join(sides)} ms, {-told.latency_reduction_percent:+.0f} %"
    low, high = told.latency_reduction_low_percent, told.latency_reduction_high_percent
    return text if low is None or high is None else f"{text} ({-high:+.0f} to {-low:+.0f})"


def _ms(seconds: float | None) -> Any:
    return "–" if seconds is None else f"{1000 * seconds:.1f}"
