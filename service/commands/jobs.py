"""`jobs` and `logs`: what was run, what runs, and what it printed."""

from __future__ import annotations

import argparse
import os
import stat
from pathlib import Path
from typing import Any

from core.errors import NotFoundError
from service.escape import escaped
from service.output import Output
from service.state import find_subject, open_folder, pick_campaign
from service.tables import columns

__all__ = ["jobs", "logs"]

SHOWN_BYTES = 64 * 1024
"""Of each log, half from its beginning and half from its end."""


def jobs(args: argparse.Namespace, output: Output) -> int:
    """`jobs [ID]`"""
    from service.views import job_rows

    with open_folder(args, must_exist=True).open_ledger() as ledger:
        stored = pick_campaign(ledger, args.id)
        rows = job_rows(ledger, stored)
        metric = stored.definition.objective.metric
        output.result({"campaign": stored.id, "metric": metric, "jobs": rows}, _text(rows, metric))
    return 0


def logs(args: argparse.Namespace, output: Output) -> int:
    """`logs JOB`: stdout, then stderr.  Of a proposal, those of its job."""
    from memory.history import History

    folder = open_folder(args, must_exist=True)
    with folder.open_ledger() as ledger:
        campaign_id, subject = find_subject(ledger, args.id)
        history = History.load(ledger, campaign_id)
    job_id = subject
    if subject.startswith("p-"):
        job_id = next((j.job_id for j in history.jobs.values() if j.proposal_id == subject), "")
        if not job_id:
            raise NotFoundError(
                f"{subject} was not carried out", where=campaign_id, hint="`python run_graph.py why ID`"
            )
    started = history.jobs.get(job_id)
    directory = Path(started.directory) if started else folder.experiments / job_id
    told: dict[str, Any] = {"job": job_id, "campaign": campaign_id, "directory": str(directory)}
    told |= {name: read_log(directory / f"{name}.log") for name in ("stdout", "stderr")}
    if told["stdout"] is None and told["stderr"] is None:
        raise NotFoundError(
            f"job {job_id} left no log",
            where=str(directory),
            hint="its folder was moved or deleted, or it never started",
        )
    parts = [f"--- {name} of {job_id}\n{_shown(told[name])}" for name in ("stdout", "stderr")]
    output.result(told, "\n".join(parts))
    return 0


def read_log(path: Path, shown_bytes: int = SHOWN_BYTES) -> dict[str, Any] | None:
    """`text` (control characters escaped), `size_bytes`, `left_out_bytes` in its middle; None when there is no file.

    The job owns its folder: a link or a device that it put there is not followed.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            return None
        if facts.st_size <= shown_bytes:
            return {"text": _clean(file.read()), "size_bytes": facts.st_size, "left_out_bytes": 0}
        head = file.read(shown_bytes // 2)
        file.seek(facts.st_size - shown_bytes // 2)
        tail = file.read(shown_bytes // 2)
    left_out = facts.st_size - len(head) - len(tail)
    text = f"{_clean(head)}\n[… {left_out:,} bytes left out, all of it is in {path} …]\n{_clean(tail)}"
    return {"text": text, "size_bytes": facts.st_size, "left_out_bytes": left_out}


def _clean(content: bytes) -> str:
    return escaped(content.decode("utf-8", "backslashreplace"))


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
