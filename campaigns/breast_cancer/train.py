"""Train and cross-validate one classifier of malignant tumours on the Wisconsin data (569 tumours, 30 features).

    python train.py config.json

The config is one flat JSON object: `model`, the parameters of that model (see `campaign.yaml`) and `seed`.
The seed fixes the split into folds and the model's own randomness, so two configurations with equal seeds are paired.

stdout  after each fold `{"step": k, "auc": mean so far}`; at the end `auc`, `auc_se`, `sensitivity`, `specificity`
exit    0 finished · 1 the training diverged · 2 the config is wrong (one line on stderr says how)
"""

from __future__ import annotations

import json
import math
import os
import sys
import warnings
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before OpenMP loads: jobs share the cores, and waiting threads spin

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

FOLDS = 2
REPEATS = 3
MALIGNANT = 0  # the label in scikit-learn's file; here malignant is the positive class
THRESHOLD = 0.5


class ConfigError(ValueError):
    """The config cannot be trained; the message is for the user."""


class Config:
    """The flat JSON object, read key by key with its checks."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def get(self, name: str) -> Any:
        if name not in self.values:
            raise ConfigError(f"the config lacks {name!r}; it has {', '.join(sorted(self.values)) or 'nothing'}")
        return self.values[name]

    def choice(self, name: str, *options: str) -> str:
        value = self.get(name)
        if value not in options:
            raise ConfigError(f"{name} is {value!r}; expected one of {', '.join(options)}")
        return str(value)

    def number(self, name: str, low: float = 0.0) -> float:
        value = self.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < low:
            raise ConfigError(f"{name} is {value!r}; expected a number of at least {low:g}")
        return float(value)

    def integer(self, name: str, low: int = 1) -> int:
        value = self.number(name, low)
        if not value.is_integer():
            raise ConfigError(f"{name} is {value!r}; expected a whole number")
        return int(value)


def read_config(arguments: list[str]) -> Config:
    """The config file named on the command line."""
    if len(arguments) != 1:
        raise ConfigError("usage: train.py CONFIG.json")
    try:
        values = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the config {arguments[0]}: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"the config {arguments[0]} is not a JSON object")
    return Config(values)


def build(config: Config, seed: int) -> ClassifierMixin:
    """The untrained classifier that the config describes."""
    if config.choice("model", "boosted_trees", "mlp") == "boosted_trees":
        return HistGradientBoostingClassifier(
            max_iter=config.integer("trees"),
            learning_rate=config.number("shrinkage"),
            max_leaf_nodes=config.integer("leaves", low=2),
            min_samples_leaf=config.integer("leaf_size"),
            l2_regularization=config.number("leaf_l2"),
            max_features=config.number("feature_share"),
            early_stopping=False,
            random_state=seed,
        )
    # Areas and concavities are long-tailed: their logarithm is nearer to a normal distribution.
    logarithm = config.choice("features", "raw", "log") == "log"
    return make_pipeline(
        FunctionTransformer(np.log1p if logarithm else None),
        StandardScaler(),
        MLPClassifier(
            hidden_layer_sizes=(config.integer("width"),) * config.integer("layers"),
            activation=config.choice("activation", "relu", "tanh"),
            learning_rate_init=config.number("learning_rate"),
            alpha=config.number("weight_decay"),
            max_iter=config.integer("epochs"),
            batch_size=64,
            tol=0.0,
            n_iter_no_change=1_000_000,  # the epochs are a parameter: no stopping inside
            random_state=seed,
        ),
    )


def cross_validate(config: Config) -> dict[str, float]:
    """Train on each fold's complement, print the progress, return the metrics.

    Repeated two-fold cross-validation (the splitting of Dietterich 1998, with three repeats): every model learns from
    half of the data and is judged on the other half. `auc_se` is the standard error of the mean over all folds, which
    share patients, so it is a little too small. Sensitivity and specificity are means over the folds at `THRESHOLD`.
    """
    seed = config.integer("seed", low=0)
    build(config, seed)  # a wrong config fails before any work
    features, labels = load_breast_cancer(return_X_y=True)
    positive = labels == MALIGNANT
    aucs: list[float] = []
    sensitivities: list[float] = []
    specificities: list[float] = []
    folds = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=seed)
    for train, test in folds.split(features, positive):
        model = build(config, seed).fit(features[train], positive[train])
        probability, truth = model.predict_proba(features[test])[:, 1], positive[test]
        aucs.append(float(roc_auc_score(truth, probability)))
        sensitivities.append(float((probability[truth] >= THRESHOLD).mean()))
        specificities.append(float((probability[~truth] < THRESHOLD).mean()))
        print(json.dumps({"step": len(aucs), "auc": float(np.mean(aucs))}), flush=True)
    return {
        "auc": float(np.mean(aucs)),
        "auc_se": float(np.std(aucs, ddof=1) / math.sqrt(len(aucs))),
        "sensitivity": float(np.mean(sensitivities)),
        "specificity": float(np.mean(specificities)),
    }


def main(arguments: list[str]) -> int:
    warnings.simplefilter("ignore", ConvergenceWarning)  # few epochs are a choice here, not a mistake
    try:
        metrics = cross_validate(read_config(arguments))
    except ConfigError as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 2
    except ValueError as error:  # non-finite weights or predictions
        print(f"train.py: the training failed: {error}", file=sys.stderr)
        return 1
    print(json.dumps(metrics), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
