"""The jobs of a campaign: what was run, what runs, what it printed, and ending one."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from core.errors import NotFoundError
from memory.history import History
from runtime.jobs import read_started
from service.escape import escaped
from service.operations.desk import Desk
from service.operations.ids import CampaignId, JobId, OfCampaign, Paged
from service.operations.operation import Told
from service.operations.pages import page
from service.views import job_record, job_rows

__all__ = [
    "Cancelled",
    "JobLogs",
    "JobOf",
    "JobPage",
    "JobTold",
    "JobsOf",
    "cancel",
    "job",
    "job_of_proposal",
    "jobs",
    "logs",
    "read_log",
]

SHOWN_BYTES = 64 * 1024
"""Of each log, half from its beginning and half from its end."""


class JobRow(Told):
    job: str
    attempt: int
    purpose: str
    cycle: int
    status: str = Field(description="running; ok, failed, stopped, cancelled; unread: it ended while nobody watched")
    seconds: float | None
    peak_memory_mb: float | None
    value: float | None
    reason: str


class JobPage(Told):
    campaign: str
    metric: str
    jobs: list[JobRow]
    next: str | None = None


class JobsOf(Paged):
    """The jobs of a campaign in the order in which they were started."""

    campaign: CampaignId


def jobs(taken: JobsOf, desk: Desk, *, every: bool = False) -> JobPage:
    """`every`: all on one page, as the command line shows them."""
    stored = desk.ledger.campaign(taken.campaign)
    with desk.histories.of(stored.id) as history:
        rows = job_rows(stored, history, desk.ledger.clock())
    chosen, following = page(rows, lambda row: str(row["job"]), None if every else taken.limit, taken.after)
    metric = stored.definition.objective.metric
    return JobPage.model_validate({"campaign": stored.id, "metric": metric, "jobs": chosen, "next": following})


class JobOf(OfCampaign):
    job: JobId


class JobTold(Told):
    """A job whole: each attempt as it was started, and its outcome."""

    campaign: str
    job: str
    attempts: list[dict[str, Any]]
    purposes: list[str]
    outcome: dict[str, Any] | None
    score: float | None


def job(taken: JobOf, desk: Desk) -> JobTold:
    stored = desk.ledger.campaign(taken.campaign)
    with desk.histories.of(stored.id) as history:
        _directory(history, taken.job, desk.folder.experiments)
    told = job_record(desk.ledger, stored, taken.job)
    return JobTold.model_validate({"campaign": stored.id, "job": taken.job, **told})


class Log(Told):
    """Control characters are escaped; of a long one the middle is left out."""

    text: str
    size_bytes: int
    left_out_bytes: int


class JobLogs(Told):
    job: str
    campaign: str
    directory: str
    stdout: Log | None
    stderr: Log | None


def logs(taken: JobOf, desk: Desk) -> JobLogs:
    stored = desk.ledger.campaign(taken.campaign)
    with desk.histories.of(stored.id) as history:
        directory = _directory(history, taken.job, desk.folder.experiments)
    told = {name: read_log(directory / f"{name}.log") for name in ("stdout", "stderr")}
    if told["stdout"] is None and told["stderr"] is None:
        raise NotFoundError(
            f"job {taken.job} left no log",
            where=str(directory),
            hint="its folder was moved or deleted, or it never started",
        )
    return JobLogs.model_validate({"job": taken.job, "campaign": stored.id, "directory": str(directory), **told})


class Cancelled(Told):
    """`asked`: whether its keeper was told to end it; its outcome is then `cancelled`."""

    campaign: str
    job: str
    asked: bool
    state: Literal["running", "ended"]


def cancel(taken: JobOf, desk: Desk) -> Cancelled:
    stored = desk.ledger.campaign(taken.campaign)
    with desk.histories.of(stored.id) as history:
        directory = _directory(history, taken.job, desk.folder.experiments)
        started = history.jobs.get(taken.job)
    keeper = read_started(directory) if started is not None else None
    if started is None or keeper is None or keeper.attempt != started.attempt or not keeper.identity.alive():
        return Cancelled(campaign=stored.id, job=taken.job, asked=False, state="ended")
    asked = keeper.identity.signal(signal.SIGTERM)
    return Cancelled(campaign=stored.id, job=taken.job, asked=asked, state="running" if asked else "ended")


def job_of_proposal(history: History, proposal_id: str) -> str:
    """The job that a proposal was carried out in.  Raises NotFoundError."""
    found = next((job.job_id for job in history.jobs.values() if job.proposal_id == proposal_id), "")
    if not found:
        raise NotFoundError(
            f"{proposal_id} was not carried out", where=history.campaign_id, hint="`python run_graph.py why ID`"
        )
    return found


def _directory(history: History, job_id: str, experiments: Path) -> Path:
    started = history.jobs.get(job_id)
    if started is None and job_id not in history.ends:
        raise NotFoundError(f"{history.campaign_id} has no job {job_id}", where="job", hint="the jobs list them")
    return Path(started.directory) if started else experiments / job_id


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
