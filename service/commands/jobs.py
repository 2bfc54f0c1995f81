"""`jobs` and `logs`: what was run, what runs, and what it printed."""

from __future__ import annotations

import argparse
from typing import Any

from service.output import Output
from service.state import find_subject, local_desk, pick_campaign
from service.tables import columns

__all__ = ["jobs", "logs"]


def jobs(args: argparse.Namespace, output: Output) -> int:
    """`jobs [ID]`"""
    from service.operations.jobs import JobsOf
    from service.operations.jobs import jobs as listed

    with local_desk(args) as desk:
        stored = pick_campaign(desk.ledger, args.id)
        told = listed(JobsOf(campaign=stored.id), desk, every=True).model_dump(mode="json", exclude={"next"})
        output.result(told, _text(told["jobs"], told["metric"]))
    return 0


def logs(args: argparse.Namespace, output: Output) -> int:
    """`logs JOB`: stdout, then stderr.  Of a proposal, those of its job."""
    from service.operations.jobs import JobOf, job_of_proposal
    from service.operations.jobs import logs as read

    with local_desk(args) as desk:
        campaign_id, subject = find_subject(desk.ledger, args.id)
        if subject.startswith("p-"):
            with desk.histories.of(campaign_id) as history:
                subject = job_of_proposal(history, subject)
        told = read(JobOf(campaign=campaign_id, job=subject), desk).model_dump(mode="json")
    parts = [f"--- {name} of {subject}\n{_shown(told[name])}" for name in ("stdout", "stderr")]
    output.result(told, "\n".join(parts))
    return 0


def _shown(log: dict[str, Any] | None) -> str:
    if log is None:
        return "(no file)"
    text: str = log["text"].rstrip("\n")
    return text or "(empty)"


def _text(rows: list[dict[str, Any]], metric: str) -> str:
    if not rows:
        return "no job was started yet"
    cells = [
        (
            row["job"],
            row["attempt"],
            row["purpose"],
            row["cycle"] or None,
            row["status"],
            None if row["seconds"] is None else round(row["seconds"], 1),
            None if row["peak_memory_mb"] is None else round(row["peak_memory_mb"]),
            row["reason"] if row["value"] is None else f"{row['value']:.5g}",
        )
        for row in rows
    ]
    return columns(cells, ("job", "try", "purpose", "cycle", "status", "s", "MB", f"{metric} or reason"))
