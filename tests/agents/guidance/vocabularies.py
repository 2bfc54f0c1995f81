"""The vocabularies that the sentences of the corpus are read against."""

from __future__ import annotations

from agents.guidance.vocabulary import Vocabulary
from search.space import Choice, Float, Int, Space

NET = Vocabulary(
    space=Space.model_validate(
        {
            "learning_rate": Float(1e-5, 0.5, log=True),
            "layers": Int(1, 6),
            "optimizer": Choice("adam", "sgd", "rmsprop"),
            "momentum": Float(0.0, 0.99, when={"optimizer": ["sgd"]}),
            "dropout": Float(0.0, 0.6),
            "batch_size": Int(8, 256, log=True),
            "weight_decay": Float(1e-6, 0.1, log=True),
            "C": Float(0.01, 100, log=True),
            "model": Choice("A", "B", "C"),
            "warmup": Choice(True, False),
        }
    ),
    metrics={"accuracy": "maximize", "recall": "maximize", "loss": "minimize"},
)
GAN = Vocabulary(
    space=Space.model_validate(
        {
            "generator_lr": Float(1e-5, 0.1, log=True),
            "discriminator_lr": Float(1e-5, 0.1, log=True),
            "schedule": Choice("none", "cosine", "step"),
            "augmentation": Choice("none", "shift", "noise", "shift+noise"),
            "heads": Choice(8, 16, 32),
        }
    ),
    metrics={"fid": "minimize"},
)
CODE = Vocabulary(
    space=None,
    metrics={"speedup": "maximize"},
    files=("logstats/parse.py", "logstats/report.py"),
    functions=("parse_line", "Report.render", "summarise"),
    operators=("join", "cache_pure", "hoist_invariant", "refinement", "revision", "recombination"),
)
VOCABULARIES = {"net": NET, "gan": GAN, "code": CODE}
