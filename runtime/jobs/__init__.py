"""Jobs: real processes that leave nothing behind, whose end is an event, and that outlive the main process."""

from __future__ import annotations

from runtime.jobs.leftovers import kill_leftovers
from runtime.jobs.queue import JobQueue, Jobs, JobState, OnReport, OnStart, Started
from runtime.jobs.reports import read_reports
from runtime.jobs.result import JobReport, JobResult, StartedJob, read_result, read_started
from runtime.jobs.running import RunningJob, attach, start
from runtime.jobs.spec import JobSpec, StopRule, fill_words, resolve_command

__all__ = [
    "JobQueue",
    "JobReport",
    "JobResult",
    "JobSpec",
    "JobState",
    "Jobs",
    "OnReport",
    "OnStart",
    "RunningJob",
    "Started",
    "StartedJob",
    "StopRule",
    "attach",
    "fill_words",
    "kill_leftovers",
    "read_reports",
    "read_result",
    "read_started",
    "resolve_command",
    "start",
]
