"""What a campaign has come to, as it stood when its run ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from core.errors import NotFoundError, UnavailableError
from core.records import Experiment, Verdict
from core.settings import Settings
from graph.summary import summarise
from memory.history import History
from memory.ledger import StoredCampaign
from memory.state_folder import StateFolder
from service.commands.why import explanation
from service.explain import Explanations
from service.report import write_report
from service.tables import result_table

__all__ = ["Explanation", "Result", "Trial"]


@dataclass(frozen=True)
class Trial:
    """One configuration that was measured.  `value` is the objective's, in its own direction; None when it failed."""

    id: str
    cycle: int
    proposer: str
    config: dict[str, Any]
    value: float | None
    metrics: dict[str, float]
    status: str
    reason: str
    seconds: float
    job: str


class Explanation(dict[str, Any]):
    """Why a proposal was made and what came of it: data, and printed as the command `why` prints it."""

    def __str__(self) -> str:
        return explanation(self)


class Result:
    """A campaign's trials, best, verdict and reasons.

    `status`: finished, budget or interrupted; `reason` for a person.  Printed, it is the table of the command line.
    """

    def __init__(self, settings: Settings, stored: StoredCampaign, history: History, status: str, reason: str) -> None:
        self._settings = settings
        self._folder = StateFolder.of(settings)
        self._stored = stored
        self._history = history
        self.campaign_id = stored.id
        self.status = status
        self.reason = reason

    @classmethod
    def load(cls, settings: Settings, campaign_id: str, status: str, reason: str) -> Self:
        """As the ledger has it now."""
        with StateFolder.of(settings).open_ledger() as ledger:
            return cls(settings, ledger.campaign(campaign_id), History.load(ledger, campaign_id), status, reason)

    def __str__(self) -> str:
        return result_table(self.summary())

    def __repr__(self) -> str:
        best = self.best
        told = (
            "nothing measured" if best is None else f"best {self._stored.definition.objective.metric} {best.value:.6g}"
        )
        return f"<Result of {self.campaign_id}: {self.status}, {told} of {len(self)} trials>"

    def __len__(self) -> int:
        return len(self._history.experiments())

    def __iter__(self) -> Iterator[Trial]:
        return iter(self.trials)

    @property
    def trials(self) -> list[Trial]:
        """The council's trials, in the order in which they were ruled."""
        return [self._trial(experiment) for experiment in self._history.experiments()]

    @property
    def best(self) -> Trial | None:
        """The best by the mean of its repeats; None while nothing was measured."""
        best = self._history.best()
        return None if best is None else self._trial(best)

    @property
    def baseline(self) -> float | None:
        """The objective's mean over the baseline's repeats."""
        told = self._history.baseline
        return None if told is None else self._stored.definition.objective.value(told.mean)

    @property
    def verdict(self) -> Verdict | None:
        """The best against the baseline on fresh paired seeds: better, worse or cannot tell; None before the end."""
        return self._history.verdict

    def frame(self) -> Any:
        """A pandas.DataFrame: one row a trial, every parameter and every metric a column.

        Raises UnavailableError without pandas.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise UnavailableError(
                "a frame needs pandas", where="Result.frame", hint="pip install pandas, or use `trials`"
            ) from error
        rows = [
            {
                "trial": trial.id,
                "cycle": trial.cycle,
                "proposer": trial.proposer,
                **trial.config,
                "value": trial.value,
                "status": trial.status,
                "seconds": trial.seconds,
                **{f"metric.{name}": value for name, value in trial.metrics.items()},
            }
            for trial in self.trials
        ]
        return pd.DataFrame(rows)

    def why(self, trial: Trial | str) -> Explanation:
        """Who proposed it and why, the memory used, the votes, the ruling, what came of it.  Raises NotFoundError."""
        proposal = trial if isinstance(trial, str) else trial.id
        with self._folder.open_ledger() as ledger:
            try:
                return Explanation(Explanations(ledger, self._stored, self._history).of(proposal))
            except KeyError:
                raise NotFoundError(
                    f"{self.campaign_id} has no proposal {proposal!r}", where="Result.why", hint="give a trial"
                ) from None

    def agents(self) -> dict[str, Any]:
        """Who sat in the council, and who was right."""
        from service.operations import council
        from service.operations.desk import local_asker, open_desk
        from service.operations.ids import OfCampaign

        with self._folder.open_ledger() as ledger, open_desk(self._settings, local_asker(), ledger=ledger) as desk:
            return council.agents(OfCampaign(campaign=self.campaign_id), desk).model_dump(mode="json")

    def summary(self) -> dict[str, Any]:
        """What `run --json` prints."""
        return summarise(self._stored, self._history, status=self.status, reason=self.reason)

    def report(self, path: Path | str | None = None) -> Path:
        """Write the HTML report, by default into the state folder; answers where it is."""
        return write_report(self._folder, self._stored, self._history, None if path is None else Path(path))

    def _trial(self, experiment: Experiment) -> Trial:
        objective, outcome = self._stored.definition.objective, experiment.outcome
        return Trial(
            id=experiment.proposal.id,
            cycle=experiment.proposal.cycle,
            proposer=experiment.proposal.proposer,
            config=dict(experiment.config),
            value=None if experiment.score is None else objective.value(experiment.score),
            metrics=dict(outcome.metrics),
            status=outcome.status,
            reason=outcome.reason or outcome.cause,
            seconds=outcome.duration_s,
            job=outcome.job_id,
        )
