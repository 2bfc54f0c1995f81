from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents.intelligence import ACQUISITIONS, BayesianOptimizer, WorldModel
from core.errors import ConfigError
from search.space import Float, Space

SPACE = Space.model_validate({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)})


def run(config: dict[str, Any], number: int) -> dict[str, Any]:
    """A result as the training history holds it; everything above x = 0.9 fails."""
    failed = config["x"] > 0.9
    value = (config["x"] - 0.3) ** 2 + (config["y"] - 0.7) ** 2
    return {
        "experiment_id": f"e{number}",
        "config": config,
        "status": "FAILED" if failed else "COMPLETED",
        "metrics": {} if failed else {"loss": value, "auc": 1 - value},
    }


def history(n: int = 25, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {"experiments": [run(SPACE.sample(rng), i) for i in range(n)]}


def test_the_world_model_predicts_every_metric_with_its_spread() -> None:
    model = WorldModel(SPACE, ["auc", "loss"]).train_on_history(history())
    told = model.predict({"x": 0.3, "y": 0.7})
    mean, sd = told["auc"]
    assert mean == pytest.approx(1.0, abs=0.05)
    assert told["loss"][0] == pytest.approx(0.0, abs=0.05)
    assert 0 < sd < 0.1
    assert model.failure_probability({"x": 0.99, "y": 0.5}) > model.failure_probability({"x": 0.2, "y": 0.5})


def test_before_training_nothing_is_predicted() -> None:
    with pytest.raises(ConfigError, match="train_on_history"):
        WorldModel(SPACE, ["auc"]).predict({"x": 0.3, "y": 0.7})


@pytest.mark.parametrize("acquisition", ACQUISITIONS)
def test_batches_are_distinct_repeatable_and_near_what_is_good(acquisition: str) -> None:
    for metric, maximize in (("auc", True), ("loss", False)):
        optimizer = BayesianOptimizer(SPACE, metric, maximize=maximize, seed=1)
        batch = optimizer.suggest(history(), acquisition=acquisition, n=3)
        assert [s.config for s in batch] == [s.config for s in optimizer.suggest(history(), acquisition, n=3)]
        assert len({SPACE.key(s.config) for s in batch}) == 3
        assert all(s.reason for s in batch)
        first = batch[0].config
        assert abs(first["x"] - 0.3) < 0.35
        assert abs(first["y"] - 0.7) < 0.35


def test_the_optimiser_gets_to_the_optimum() -> None:
    optimizer, told = BayesianOptimizer(SPACE, "loss", maximize=False), list[dict[str, Any]]()
    while len(told) < 20:
        told.append(run(optimizer.suggest(told)[0].config, len(told)))
    assert min(r["metrics"].get("loss", 9.0) for r in told) < 0.003


def test_unknown_words_and_broken_histories_are_refused() -> None:
    with pytest.raises(ConfigError, match="expected_improvement"):
        BayesianOptimizer(SPACE, "auc").suggest([], acquisition="expected_improvment")
    with pytest.raises(ConfigError, match="experiment 0"):
        BayesianOptimizer(SPACE, "auc").suggest([{"metrics": {}}])
    assert BayesianOptimizer(SPACE, "auc").suggest([])[0].config
