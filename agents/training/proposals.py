"""Proposals as callers write them, mappings, made into requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from core.campaign import Campaign
from core.errors import RatchetError
from core.ids import system_clock
from core.records import Config
from runtime.control_plane.wire import RetryPolicy, TrainingJob, TrainingResults, TrainRequest, Work
from runtime.jobs import JobState

__all__ = ["ConfigOf", "Proposals", "TrainingExecutionError", "refused", "unsubmitted"]

ConfigOf = Callable[[Mapping[str, Any]], Config]
"""A proposal's configuration, such as a configuration generator makes it.  May raise RatchetError."""


class TrainingExecutionError(RatchetError):
    """A job could not be submitted, or has no results to give."""

    exit_code = 1


@dataclass(frozen=True)
class Proposals:
    """Knows the campaign, if any, and how a configuration is made."""

    campaign: Campaign | None = None
    config_of: ConfigOf | None = None

    def request(self, proposal: Mapping[str, Any], requires_approval: bool) -> TrainRequest:
        """The request of a proposal.  Raises TrainingExecutionError naming what is wrong with it."""
        name = proposal.get("experiment_id", "")
        campaign = self.campaign
        work = Work.of(campaign) if campaign is not None else None
        try:
            return TrainRequest.model_validate(
                {
                    "experiment_id": name,
                    "config": self._config(proposal),
                    "seed": proposal.get("seed", campaign.seed if campaign else 0),
                    "campaign": campaign.name if campaign else proposal.get("campaign", ""),
                    "fingerprint": work.fingerprint() if work else "",
                    "work": work,
                    "retries": proposal.get("retries", RetryPolicy(lost=campaign.retries if campaign else 1)),
                    "requires_approval": requires_approval,
                    **_labels(proposal),
                }
            )
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            message = first["msg"].removeprefix("Value error, ")
            raise TrainingExecutionError(f"{where}: {message}", where=f"proposal {name!r}") from error
        except RatchetError as error:
            raise TrainingExecutionError(error.what, where=f"proposal {name!r}", hint=error.hint) from error

    def _config(self, proposal: Mapping[str, Any]) -> Config:
        if self.config_of is not None:
            return self.config_of(proposal)
        whole = proposal.get("config")
        if whole is not None:
            return _mapping(whole, "config")
        changes = proposal.get("changes", proposal.get("config_changes"))
        if changes is None or self.campaign is None:
            raise TrainingExecutionError(
                "a proposal has a `config`, or `changes` of the baseline of a campaign",
                hint="get_training_executor(campaign=…) knows the baseline",
            )
        return {**self.campaign.baseline, **_mapping(changes, "changes")}


def refused(proposal: Mapping[str, Any], error: RatchetError) -> TrainingJob:
    """The job that a proposal did not become."""
    now = system_clock()
    config = proposal.get("config") or proposal.get("changes") or {}
    return TrainingJob(
        experiment_id=str(proposal.get("experiment_id", "")),
        status=JobState.FAILED,
        config=dict(config) if isinstance(config, Mapping) else {},
        submitted_at=now,
        finished_at=now,
        cause="submission",
        reason=error.what,
        **_labels(proposal),
    )


def unsubmitted(job: TrainingJob) -> TrainingResults:
    """The results of a job that was refused."""
    shared = {"experiment_id", "config", "status", "proposal_type", "risk_level", "cause", "reason"}
    return TrainingResults(metrics={}, duration_seconds=0.0, outcome="failed", **job.model_dump(include=shared))


def _labels(proposal: Mapping[str, Any]) -> dict[str, str]:
    return {
        "proposal_type": str(proposal.get("proposal_type", proposal.get("type", "experiment"))),
        "risk_level": str(proposal.get("risk_level", "low")),
    }


def _mapping(value: Any, name: str) -> Config:
    if not isinstance(value, Mapping):
        raise TrainingExecutionError(f"{name} is {value!r:.60}, it must be a mapping of parameters")
    return dict(value)
