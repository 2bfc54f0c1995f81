"""What a configuration is expected to give, and what became of earlier expectations.

The world model's standard deviations are widened (or narrowed) by a factor learned from the residuals of the cycles
before, so that a 90 % interval holds nine times of ten; see `search.calibration`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from core.campaign import Campaign
from core.records import Baseline, Config, Expectation, Experiment
from search.calibration import Calibration, Forecast, calibrate, failure_calibration, width_factor
from search.metric_models import model_of_metric
from search.world_model import WorldModel

__all__ = ["MIN_TRIALS", "Oracle", "calibration_of", "metric_forecasts", "score_forecasts"]

MIN_TRIALS = 3
"""Finished trials below which nothing is predicted: a spread of two says nothing of the width."""


class Oracle:
    """Predictions for one cycle: the world model of the objective, those of the other metrics, and their factors."""

    def __init__(
        self, campaign: Campaign, model: WorldModel, history: Sequence[Experiment], baseline: Baseline | None = None
    ) -> None:
        self._campaign = campaign
        self._model = model
        self._noise_sd = baseline.noise_sd if baseline else 0.0
        self._metric_noise = baseline.metric_noise if baseline else {}
        self._ready = sum(e.outcome.ok and e.score is not None for e in history) >= MIN_TRIALS
        self.factor = width_factor(score_forecasts(history))
        self._others: dict[str, tuple[WorldModel, float]] = {}
        if self._ready:
            for name in campaign.metrics:
                self._add(name, history)

    def _add(self, name: str, history: Sequence[Experiment]) -> None:
        if name == self._campaign.objective.metric:
            return
        told = [e for e in history if e.outcome.ok and math.isfinite(e.outcome.metrics.get(name, math.nan))]
        model = model_of_metric(self._model, [e.config for e in told], [e.outcome.metrics[name] for e in told])
        if model is not None:
            self._others[name] = model, width_factor(metric_forecasts(history, name))

    def expect(self, config: Config) -> tuple[Expectation | None, dict[str, Expectation]]:
        """The expected score, and each named metric in its own direction; nothing while too little is known.

        What is expected is what one run will show, its noise included.
        """
        if not self._ready:
            return None, {}
        seen = self._model.predict([config])
        failing = float(seen.failure_probability[0])
        sd = math.hypot(float(seen.sd[0]), self._noise_sd) * self.factor
        score = Expectation(mean=float(seen.mean[0]), sd=sd, failure_probability=failing, factor=self.factor)
        objective = self._campaign.objective
        metrics = {objective.metric: score.model_copy(update={"mean": objective.value(score.mean)})}
        for name, (model, factor) in self._others.items():
            other = model.predict([config])
            metrics[name] = Expectation(
                mean=float(other.mean[0]),
                sd=math.hypot(float(other.sd[0]), self._metric_noise.get(name, 0.0)) * factor,
                failure_probability=failing,
                factor=factor,
            )
        return score, metrics


def score_forecasts(experiments: Iterable[Experiment]) -> list[Forecast]:
    """The forecasts of the score that have come to an end, in order."""
    return [
        Forecast(e.proposal.expected.mean, e.proposal.expected.sd, e.score, e.proposal.expected.factor)
        for e in experiments
        if e.proposal.expected is not None and e.score is not None and e.outcome.ok
    ]


def metric_forecasts(experiments: Iterable[Experiment], name: str) -> list[Forecast]:
    """The same for a metric, in its own units."""
    return [
        Forecast(told.mean, told.sd, e.outcome.metrics[name], told.factor)
        for e in experiments
        if e.outcome.ok and (told := e.proposal.expected_metrics.get(name)) and name in e.outcome.metrics
    ]


def calibration_of(experiments: Sequence[Experiment]) -> dict[str, Any]:
    """Predicted against happened, as plain data: the objective, every metric, and failures; empty while nothing was.

    `uncorrected` is the coverage that the world model's own standard deviations would have had.
    """
    forecasts = score_forecasts(experiments)
    whole = calibrate(forecasts)
    if whole is None:
        return {}
    raw = calibrate([Forecast(f.mean, f.sd / f.factor, f.happened) for f in forecasts])
    names = sorted({name for e in experiments for name in e.proposal.expected_metrics})
    metrics = {name: _plain(found) for name in names if (found := calibrate(metric_forecasts(experiments, name)))}
    judged = [e for e in experiments if e.proposal.expected is not None and e.outcome.status in ("ok", "failed")]
    failures = failure_calibration(
        [e.proposal.expected.failure_probability for e in judged if e.proposal.expected is not None],
        [e.outcome.status == "failed" for e in judged],
    )
    return {
        "score": _plain(whole),
        "uncorrected": _plain(raw) if raw else None,
        "metrics": metrics,
        "failures": None if failures is None else {"brier": failures[0], "brier_of_the_rate": failures[1]},
    }


def _plain(told: Calibration) -> dict[str, float]:
    return {
        "level": told.level,
        "n": told.n,
        "covered": told.covered,
        "low": told.low,
        "high": told.high,
        "bias": told.bias,
        "error": told.error,
        "half_width": told.width,
    }
