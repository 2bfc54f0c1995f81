"""Train one small convolutional network on the 8×8 digits of scikit-learn (1,797 images) and validate it.

    python train.py config.json

The config is one flat JSON object: the parameters of `campaign.yaml` and `seed`. The seed fixes the split, the initial
weights, the order of the batches and the augmentation, so two configurations with equal seeds are paired.

stdout  after each epoch `{"step": epoch, "val_accuracy": …, "val_loss": …}`; at the end `accuracy` and `loss`
exit    0 finished · 1 the training diverged · 2 the config is wrong (one line on stderr says how)

Shapes: images (n, 1, 8, 8), ink in 0 … 1; labels (n,).
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import sys
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before OpenMP loads: jobs share the cores, and waiting threads spin

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

EPOCHS = 12
TRAINING_IMAGES = 898  # half of them; the other half validates
SIDE = 8  # pixels
NOISE_SD = 0.1  # in units of full ink


class ConfigError(ValueError):
    """The config cannot be trained; the message is for the user."""


class DivergedError(ArithmeticError):
    """The loss is not a finite number any more."""


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

    def number(self, name: str, low: float = 0.0, high: float = math.inf) -> float:
        value = self.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ConfigError(f"{name} is {value!r}; expected a number")
        if not low <= value <= high:
            raise ConfigError(f"{name} is {value!r}; expected {low:g} to {high:g}")
        return float(value)

    def integer(self, name: str, low: int = 1, high: float = math.inf) -> int:
        value = self.number(name, low, high)
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


def load_digits() -> tuple[Tensor, Tensor]:
    """All images and labels, from scikit-learn's data file; importing scikit-learn for it would cost two seconds."""
    package = importlib.util.find_spec("sklearn")
    if package is None or package.origin is None:
        raise ConfigError("scikit-learn, whose data this trains on, is not installed: pip install scikit-learn")
    table = np.loadtxt(Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz", delimiter=",", dtype="f4")
    images = torch.from_numpy(table[:, :-1] / 16).reshape(-1, 1, SIDE, SIDE)
    return images, torch.from_numpy(table[:, -1]).long()


def build_network(channels: int, dropout: float) -> nn.Sequential:
    """Two convolutions with pooling, then one linear layer: (n, 1, 8, 8) → logits (n, 10)."""
    return nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(channels, 2 * channels, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(2 * channels * (SIDE // 4) ** 2, 10),
    )


def build_optimizer(config: Config, network: nn.Module) -> torch.optim.Optimizer:
    learning_rate = config.number("learning_rate")
    weight_decay = config.number("weight_decay")
    kind = config.choice("optimizer", "sgd", "adam", "adamw")
    if kind == "sgd":
        momentum = config.number("momentum", high=1.0)
        return torch.optim.SGD(network.parameters(), learning_rate, momentum, weight_decay=weight_decay)
    adam = torch.optim.Adam if kind == "adam" else torch.optim.AdamW
    return adam(network.parameters(), learning_rate, weight_decay=weight_decay)


def rate_factor(schedule: str, epoch: int) -> float:
    """What the learning rate is multiplied with in `epoch` (from 0): 1 throughout, half a cosine, or a tenth twice."""
    done = epoch / EPOCHS
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    if schedule == "step":
        return 1.0 if done < 0.5 else 0.1 if done < 0.8 else 0.01
    return 1.0


def augment(images: Tensor, kinds: str) -> Tensor:
    """`images`, each moved by up to one pixel either way (`shift`) and given Gaussian noise of its own (`noise`)."""
    if "shift" in kinds:
        n = len(images)
        padded = functional.pad(images, (1, 1, 1, 1))
        rows = torch.arange(SIDE) + torch.randint(0, 3, (n, 1))
        columns = torch.arange(SIDE) + torch.randint(0, 3, (n, 1))
        images = padded[torch.arange(n)[:, None, None], 0, rows[:, :, None], columns[:, None, :]].unsqueeze(1)
    if "noise" in kinds:
        images = images + NOISE_SD * torch.randn_like(images)
    return images


@torch.no_grad()
def validate(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Accuracy and mean cross-entropy."""
    network.eval()
    logits = network(images)
    accuracy = (logits.argmax(dim=1) == labels).float().mean()
    return float(accuracy), float(functional.cross_entropy(logits, labels))


def train(config: Config) -> dict[str, float]:
    """Train for `EPOCHS` epochs, print each one's progress, return the metrics of the last."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(config.integer("seed", low=0))
    images, labels = load_digits()
    order = torch.randperm(len(labels))  # before anything the config decides: equal seeds give equal splits
    training, validation = order[:TRAINING_IMAGES], order[TRAINING_IMAGES:]

    network = build_network(config.integer("channels"), config.number("dropout", high=1.0))
    batch_size = config.integer("batch_size", high=TRAINING_IMAGES)
    schedule = config.choice("schedule", "constant", "cosine", "step")
    augmentation = config.choice("augmentation", "none", "shift", "noise", "shift+noise")
    optimizer = build_optimizer(config, network)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: rate_factor(schedule, epoch))

    accuracy = loss = math.nan
    for epoch in range(1, EPOCHS + 1):
        network.train()
        for batch in torch.split(training[torch.randperm(len(training))], batch_size):
            optimizer.zero_grad()
            batch_loss = functional.cross_entropy(network(augment(images[batch], augmentation)), labels[batch])
            torch.autograd.backward(batch_loss)
            optimizer.step()
        scheduler.step()
        accuracy, loss = validate(network, images[validation], labels[validation])
        if not math.isfinite(loss):
            raise DivergedError(f"the validation loss is {loss} after epoch {epoch}")
        print(json.dumps({"step": epoch, "val_accuracy": accuracy, "val_loss": loss}), flush=True)
    return {"accuracy": accuracy, "loss": loss}


def main(arguments: list[str]) -> int:
    try:
        metrics = train(read_config(arguments))
    except ConfigError as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 2
    except DivergedError as error:
        print(f"train.py: the training diverged: {error}", file=sys.stderr)
        return 1
    print(json.dumps(metrics), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
