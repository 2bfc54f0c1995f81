"""The world model of a metric beside the objective: fitted to its own values, begun from the objective's process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from search.trials import Trial
from search.world_model import WorldModel

__all__ = ["model_of_metric"]


def model_of_metric(
    model: WorldModel, configs: Sequence[Mapping[str, Any]], values: Sequence[float]
) -> WorldModel | None:
    """The world model of a metric that had `values` at `configs`; None while nothing is known of it.

    Sharing the objective's kernel unfitted would be cheaper, but its intervals were found too narrow.
    """
    if model.process is None or not len(values):
        return None
    trials = [Trial(str(i), config, value) for i, (config, value) in enumerate(zip(configs, values, strict=True))]
    return WorldModel.fit(model.space, trials, start=model)
