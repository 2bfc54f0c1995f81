"""Tell two spirals apart with logistic regression: a small real training run, with Python alone.

    python train.py config.json

The config is one flat JSON object: the parameters of `campaign.yaml` and `seed`, which fixes data and weights.
"""

import json
import math
import random
import sys
from pathlib import Path
from typing import Any

POINTS = 120


def spirals(rng: random.Random) -> list[tuple[float, float, int]]:
    """(x, y, label) on two arms, a little noisy."""
    points = []
    for _ in range(POINTS):
        label = rng.randrange(2)
        radius = rng.uniform(0.2, 1.0)
        angle = 6.0 * radius + math.pi * label
        x, y = radius * math.cos(angle), radius * math.sin(angle)
        points.append((x + rng.gauss(0, 0.05), y + rng.gauss(0, 0.05), label))
    return points


def features(x: float, y: float, config: dict[str, Any]) -> list[float]:
    """What the regression sees of a point."""
    values = [1.0, x, y]
    if config["features"] == "squares":
        values += [x * x, y * y, x * y]
    elif config["features"] == "waves":
        f = config["frequency"]
        for wave in (x, y, x + y, x - y):
            values += [math.sin(f * wave), math.cos(f * wave)]
    return values


def probability(weights: list[float], values: list[float]) -> float:
    """That the point is on arm 1."""
    z = sum(w * v for w, v in zip(weights, values, strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))


def main() -> None:
    config = json.loads(Path(sys.argv[1]).read_text())
    rng = random.Random(config["seed"])
    train = [(features(x, y, config), label) for x, y, label in spirals(rng)]
    held_out = [(features(x, y, config), label) for x, y, label in spirals(rng) + spirals(rng)]
    weights = [0.0] * len(train[0][0])
    for epoch in range(1, config["epochs"] + 1):
        rng.shuffle(train)
        for values, label in train:
            error = probability(weights, values) - label
            for i, value in enumerate(values):
                weights[i] -= config["learning_rate"] * (error * value + config["weight_decay"] * weights[i])
        told = [(probability(weights, values), label) for values, label in held_out]
        accuracy = sum((p > 0.5) == (label == 1) for p, label in told) / len(told)
        loss = -sum(math.log(max(1e-12, p if label else 1 - p)) for p, label in told) / len(told)
        print(json.dumps({"step": epoch, "accuracy": accuracy, "loss": loss}), flush=True)


main()
