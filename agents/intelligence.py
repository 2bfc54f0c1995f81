"""World model and optimiser by the names of the public contract: thin faces over `search`, fed with a history.

A history is what `training_history.json` holds, its list of experiments, or a council's Experiments.

    model = WorldModel(space, metrics=["auc"])
    model.train_on_history(history).predict({"learning_rate": 3e-4, …})     → {"auc": (0.93, 0.01)}
    BayesianOptimizer(space, "auc").suggest(history, acquisition="thompson_sampling", n=3)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.errors import ConfigError, nearest
from core.records import Config, Experiment
from search import world_model
from search.portfolio import Acquisition
from search.space import Space
from search.suggest import Suggestion, suggest
from search.trials import Trial

__all__ = ["ACQUISITIONS", "BayesianOptimizer", "WorldModel"]

ACQUISITIONS: dict[str, Acquisition] = {
    "expected_improvement": "expected_improvement",
    "upper_confidence_bound": "upper_confidence_bound",
    "thompson_sampling": "thompson",
}

HistoryLike = Mapping[str, Any] | Iterable[Mapping[str, Any]] | Iterable[Experiment]
Run = tuple[str, Config, dict[str, float], bool]
"""Id, configuration, metrics, and whether it ran to its end."""


class WorldModel:
    """Predicts metrics of configurations, with how sure it is, and how likely they are to fail."""

    def __init__(self, space: Space, metrics: Sequence[str], seed: int = 0) -> None:
        if not metrics:
            raise ConfigError("name at least one metric to predict", where="WorldModel")
        self._space, self._metrics, self._seed = space, tuple(metrics), seed
        self._models: dict[str, world_model.WorldModel] = {}

    def train_on_history(self, history: HistoryLike) -> WorldModel:
        """Fit every metric to the history; answers itself.  Raises ConfigError for a run outside the space."""
        runs = _runs(history)
        self._models = {
            name: world_model.WorldModel.fit(self._space, _trials(runs, name, 1.0), self._seed)
            for name in self._metrics
        }
        return self

    def predict(self, config: Config) -> dict[str, tuple[float, float]]:
        """Metric → (mean, standard deviation), in the metric's units.  Raises ConfigError before any training."""
        told = {name: self._trained(name).predict([config]) for name in self._metrics}
        return {name: (float(p.mean[0]), float(p.sd[0])) for name, p in told.items()}

    def failure_probability(self, config: Config) -> float:
        """The probability that a run of `config` gives no result."""
        return float(self._trained(self._metrics[0]).predict([config]).failure_probability[0])

    def _trained(self, name: str) -> world_model.WorldModel:
        if name not in self._models:
            raise ConfigError("the world model knows nothing yet", where="predict", hint="call train_on_history first")
        return self._models[name]


class BayesianOptimizer:
    """Suggests what to try next for one metric."""

    def __init__(self, space: Space, metric: str, *, maximize: bool = True, seed: int = 0) -> None:
        self._space, self._metric, self._seed = space, metric, seed
        self._sign = 1.0 if maximize else -1.0

    def suggest(self, history: HistoryLike, acquisition: str = "expected_improvement", n: int = 1) -> list[Suggestion]:
        """`n` different configurations, each with mean and standard deviation of its score and the reason.

        `acquisition`: expected_improvement, upper_confidence_bound or thompson_sampling.  The first suggestions, while
        too little is known for a model, are an even cover.  A function of its arguments.  Raises ConfigError.
        """
        if acquisition not in ACQUISITIONS:
            raise ConfigError(
                f"unknown acquisition {acquisition!r}", where="suggest", hint=nearest(acquisition, ACQUISITIONS)
            )
        trials = _trials(_runs(history), self._metric, self._sign)
        return suggest(self._space, trials, n, seed=self._seed, member="gp", acquisition=ACQUISITIONS[acquisition])


def _runs(history: HistoryLike) -> list[Run]:
    entries = history.get("experiments", []) if isinstance(history, Mapping) else history
    return [_run(entry, number) for number, entry in enumerate(entries)]


def _run(entry: Any, number: int) -> Run:
    if isinstance(entry, Experiment):
        return entry.proposal.id, entry.config, dict(entry.outcome.metrics), entry.outcome.ok
    try:
        done = str(entry.get("status", "COMPLETED")).upper() == "COMPLETED"
        return str(entry.get("experiment_id", number)), dict(entry["config"]), dict(entry["metrics"]), done
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"experiment {number} cannot be read: {error}", where="history", hint="it needs config and metrics"
        ) from error


def _trials(runs: Iterable[Run], metric: str, sign: float) -> list[Trial]:
    return [
        Trial(name, config, sign * metrics[metric] if ok and math.isfinite(metrics.get(metric, math.nan)) else None)
        for name, config, metrics, ok in runs
    ]
