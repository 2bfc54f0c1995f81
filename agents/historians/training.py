"""The history of a campaign by the names of training: results integrated, best metrics, patterns, trend, stagnation.

A view over the ledger.  What the cycle's own historian has kept is read, never written again; results that were
measured elsewhere are told to the ledger as what they are: trials with the proposer `reported`.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.campaign import Campaign
from core.errors import ConfigError
from core.events import AnyEvent, JobFinished, ProposalMade
from core.files import write_private
from core.ids import content_id
from core.records import Experiment, Outcome, Proposal
from memory.history import History
from search.stagnation import best_so_far, detect_stagnation

__all__ = ["JOB_STATUS", "PROPOSAL_TYPE", "REPORTED", "TrainingHistorian", "result_of"]

REPORTED = "reported"
"""The proposer of a trial that was measured elsewhere."""
PROPOSAL_TYPE = "hyperparameter_tuning"
RECENT = 10
JOB_STATUS = {"ok": "COMPLETED", "failed": "FAILED", "stopped": "CANCELLED", "cancelled": "CANCELLED"}
"""An outcome's status → a job's: one that was stopped as hopeless was cancelled, by the council."""
OUTCOME_STATUS = {"COMPLETED": "ok", "FAILED": "failed", "CANCELLED": "cancelled"}
RISK_LEVELS = ((0.3, "low"), (0.7, "medium"), (math.inf, "high"))

Result = dict[str, Any]


class TrainingHistorian:
    """Answers in plain data.  `tell` appends events to the ledger, by which `history` hears of them."""

    def __init__(
        self, campaign: Campaign, history: History, tell: Callable[..., object], export_path: Path | None = None
    ) -> None:
        self.campaign = campaign
        self.history = history
        self.export_path = export_path
        self._tell = tell

    # ------------------------------------------------------------- integration
    def integrate_experiment_results(
        self, experiment_results: Sequence[Mapping[str, Any]], cycle_id: int
    ) -> dict[str, Any]:
        """The results of a cycle taken in: told to the ledger unless they stand there, and `training_history.json`
        written anew.

        A result has `experiment_id`, `config`, `metrics` and `status` (COMPLETED, FAILED, CANCELLED, in any case).
        Integrating the same results twice is integrating them once, and is answered alike: `best_metrics_updated` says
        whether the best is another than before that cycle.  Raises ConfigError for one that lacks a field.
        """
        results = [_checked(result, i) for i, result in enumerate(experiment_results)]
        known = {e.proposal.id for e in self.history.experiments()} | {*self.history.outcomes}
        fresh = [result for result in results if result["experiment_id"] not in known]
        self._tell(*(event for result in fresh for event in self._reported(result, cycle_id)))
        statuses = Counter(str(result["status"]).upper() for result in results)
        best, before = self.history.best(before=cycle_id + 1), self.history.best(before=cycle_id)
        written = self.export() is not None
        return {
            "status": "integrated",
            "cycle_id": cycle_id,
            "total_experiments": len(results),
            "successful": statuses["COMPLETED"],
            "failed": statuses["FAILED"],
            "best_metrics": self.best_metrics(),
            "best_metrics_updated": best is not None and (before is None or best.proposal.id != before.proposal.id),
            "training_history_updated": written,
        }

    def _reported(self, result: Result, cycle: int) -> list[AnyEvent]:
        """A result from elsewhere as the events of a trial."""
        objective, metrics = self.campaign.objective, dict(result["metrics"])
        status: Any = OUTCOME_STATUS[str(result["status"]).upper()]
        if status == "ok" and not math.isfinite(metrics.get(objective.metric, math.nan)):
            status, cause = "failed", "no_metric"
        else:
            cause = "" if status == "ok" else "reported"
        proposal = Proposal(
            id=str(result["experiment_id"]),
            campaign_id=self.history.campaign_id,
            cycle=cycle,
            proposer=REPORTED,
            config=dict(result["config"]),
            rationale="measured elsewhere",
            source="human",
        )
        outcome = Outcome(
            job_id=content_id("j", self.history.campaign_id, proposal.id, "reported"),
            proposal_id=proposal.id,
            status=status,
            config=proposal.config,
            seed=int(result.get("seed", self.campaign.seed)),
            metrics=metrics,
            cause=cause,
            duration_s=float(result.get("duration_seconds") or 0.0),
        )
        score = objective.score(metrics[objective.metric]) if status == "ok" else None
        where = {"campaign_id": self.history.campaign_id, "cycle": cycle}
        return [
            ProposalMade(proposal=proposal, **where),
            JobFinished(purpose="proposal", outcome=outcome, score=score, **where),
        ]

    # ---------------------------------------------------------------- questions
    def results(self, cycle_id: int | None = None) -> list[Result]:
        """The finished experiments, of one cycle or of all, oldest first."""
        return [
            result_of(experiment, self._risk(experiment))
            for experiment in self.history.experiments()
            if cycle_id is None or experiment.proposal.cycle == cycle_id
        ]

    def best_metrics(self) -> dict[str, float]:
        """The metrics of the experiment with the best objective; empty while there is none."""
        best = self.history.best()
        return dict(best.outcome.metrics) if best is not None else {}

    def patterns(self, share: float = 0.5, quantile: float = 1.0) -> list[tuple[str, Any, float]]:
        """(parameter, value, frequency): the values that at least `share` of the successful configurations have, most
        frequent first.  `quantile` looks at the best part of them only.  What a single one has is no pattern."""
        scored = sorted(
            (e for e in self.history.experiments() if e.score is not None and e.outcome.ok),
            key=lambda e: -(e.score or 0.0),
        )
        winners = scored[: math.ceil(len(scored) * quantile)]
        counted = Counter((name, _frozen(value)) for e in winners for name, value in e.config.items())
        found = [(name, value, count / len(winners)) for (name, value), count in counted.items() if count > 1]
        return sorted((p for p in found if p[2] >= share), key=lambda p: (-p[2], p[0], str(p[1])))

    def get_performance_trend(self, metric: str, window: int = 10) -> list[float]:
        """The last `window` values of `metric`, oldest first."""
        told = [e.outcome.metrics[metric] for e in self.history.experiments() if self._gave(e, metric)]
        return told[-window:] if window > 0 else []

    def detect_stagnation(
        self, metric: str, threshold: float = 0.01, window: int = 5, *, noise_aware: bool = False
    ) -> bool:
        """Whether the last `window` experiments raised the best of `metric` by less than `threshold`.

        With `noise_aware` a rise also has to exceed twice the standard error of a single run, the baseline's noise
        floor: what noise alone would bring is no progress.  The noise of a metric other than the objective is not
        known, and is taken as 0.
        """
        if noise_aware and metric == self.campaign.objective.metric and self.history.baseline is not None:
            threshold = max(threshold, 2 * self.history.baseline.noise_sd)
        values = [
            self._direction(metric) * e.outcome.metrics[metric] if self._gave(e, metric) else None
            for e in self.history.experiments()
        ]
        return detect_stagnation(values, threshold=threshold, window=window)

    # ------------------------------------------------------------------- export
    def training_history(self) -> dict[str, Any]:
        """The whole history in the form of `training_history.json`."""
        experiments = [
            {**result, "cycle_id": e.proposal.cycle}
            for result, e in zip(self.results(), self.history.experiments(), strict=True)
        ]
        return {
            "schema": 1,
            "campaign": self.history.campaign_id,
            "experiments": experiments,
            "recent": [e["experiment_id"] for e in experiments[-RECENT:]],
            "total_experiments": len(experiments),
            "best_metrics": self.best_metrics(),
            "cycles": self._cycles(),
        }

    def export(self) -> Path | None:
        """`training_history.json` written anew, whole or not at all; None without a path.  Raises StorageError."""
        if self.export_path is None:
            return None
        write_private(self.export_path, json.dumps(self.training_history(), indent=1, default=str))
        return self.export_path

    def _cycles(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        curve = best_so_far([e.score if e.outcome.ok else None for e in self.history.experiments()])
        at, best = 0, None
        for number, cycle in sorted(self.history.cycles.items()):
            experiments = cycle.experiments()
            if not experiments and cycle.finished is None:
                continue
            at += len(experiments)
            now = curve[at - 1] if at else None
            stamp = cycle.finished.at if cycle.finished else cycle.started_at
            told.append(
                {
                    "cycle_id": number,
                    "timestamp": datetime.fromtimestamp(stamp, UTC).isoformat(),
                    "total_experiments": len(experiments),
                    "successful": sum(e.outcome.ok for e in experiments),
                    "failed": sum(e.outcome.status == "failed" for e in experiments),
                    "best_metrics_updated": now != best,
                }
            )
            best = now
        return told

    def _gave(self, experiment: Experiment, metric: str) -> bool:
        return experiment.outcome.ok and math.isfinite(experiment.outcome.metrics.get(metric, math.nan))

    def _direction(self, metric: str) -> float:
        """+1 where more is better; a metric that is no objective counts as such."""
        return self.campaign.objective.score(1.0) if metric == self.campaign.objective.metric else 1.0

    def _risk(self, experiment: Experiment) -> float | None:
        cycle = self.history.cycles.get(experiment.proposal.cycle)
        ruling = cycle.rulings.get(experiment.proposal.id) if cycle else None
        return ruling.ruling.risk if ruling else None


def result_of(experiment: Experiment, risk: float | None = None) -> Result:
    """An experiment in the form of a training job's result."""
    outcome = experiment.outcome
    return {
        "experiment_id": experiment.proposal.id,
        "config": outcome.config,
        "metrics": dict(outcome.metrics),
        "status": JOB_STATUS[outcome.status],
        "duration_seconds": outcome.duration_s,
        "proposal_type": PROPOSAL_TYPE,
        "risk_level": "unknown" if risk is None else next(name for limit, name in RISK_LEVELS if risk < limit),
    }


def _checked(result: Mapping[str, Any], place: int) -> Result:
    for name in ("experiment_id", "config", "metrics", "status"):
        if name not in result:
            raise ConfigError(f"result {place} has no {name!r}", where="experiment_results", hint=f"it has {[*result]}")
    if str(result["status"]).upper() not in OUTCOME_STATUS:
        raise ConfigError(
            f"result {place}: the status {result['status']!r} is not one of a finished job",
            where="experiment_results",
            hint=f"known: {', '.join(OUTCOME_STATUS)}",
        )
    return dict(result)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
