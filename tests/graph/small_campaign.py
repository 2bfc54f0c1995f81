"""A campaign whose jobs are real processes of a few hundredths of a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.campaign import Campaign

SCRIPT = """
import json, sys, time

with open(sys.argv[1]) as file:
    config = json.load(file)
time.sleep(config.get("wait", 0))
x, y = config["x"], config["y"]
if x > 0.8:
    sys.exit("diverged")
noise = ((config["seed"] * 7919 + int(x * 1e6)) % 13) / 1000
score = -((x - 0.3) ** 2) - (y - 0.6) ** 2 - (0.1 if config["kind"] == "b" else 0) + noise
print(json.dumps({"score": score, "cost": x + y}))
"""


def small_campaign(folder: Path, **changes: Any) -> Campaign:
    """The campaign, its script in `folder`; `changes` by key."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.py").write_text(SCRIPT)
    return Campaign.model_validate(
        {
            "name": "small",
            "command": ["{python}", "-I", "-S", "{here}/train.py", "{config}"],
            "objective": {"metric": "score"},
            "space": {
                "x": {"type": "float", "low": 0, "high": 1},
                "y": {"type": "float", "low": 0, "high": 1},
                "kind": {"type": "choice", "options": ["a", "b"]},
            },
            "baseline": {"x": 0.5, "y": 0.5, "kind": "a"},
            "budget": {"cycles": 3},
            "noise": {"repeats": 2, "verdict_pairs": 2},
            "here": str(folder),
            **changes,
        }
    )
