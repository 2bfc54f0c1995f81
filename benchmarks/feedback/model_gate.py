"""How many summaries pass the generator's last gate: people's own, as good as a model's, and those of other functions.

    python -m benchmarks.feedback.model_gate ROWS.jsonl

ROWS in the form that `benchmarks.feedback.corpus` writes.  A summary passes that earns at least a share of the reward
of the rules' words for the same function; `LEAST_SHARE` is the share in force.
"""

from __future__ import annotations

import json
import random
import sys
import textwrap
from pathlib import Path

from agents.feedback.discriminator import judge_annotation
from agents.feedback.generator import generate
from agents.feedback.model_guards import LEAST_SHARE
from agents.feedback.model_scopes import scopes


def main() -> None:
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text().split("\n") if line]
    rng = random.Random(5)
    own: list[float] = []
    others: list[float] = []
    for row in rows:
        code = textwrap.dedent(row["source"])
        found = scopes(code, generate("row.py", code))
        same = [other for other in rows if other["package"] == row["package"] and other is not row]
        if not found or not same or not row["annotation"].get("summary"):
            continue
        scope = found[0]
        rules = judge_annotation(scope.source, scope.summary.annotation, scope.facts).reward
        for shares, told in ((own, row), (others, rng.choice(same))):
            annotation = {**scope.summary.annotation, "summary": told["annotation"].get("summary") or ""}
            reward = judge_annotation(scope.source, annotation, scope.facts).reward
            shares.append(reward / rules if rules else 0.0)
    print(f"{len(own)} functions; in force: {LEAST_SHARE}")
    for least in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        passed = [sum(share >= least for share in shares) / len(shares) for shares in (own, others)]
        print(f"  at {least}: own {passed[0]:.0%}, of another function {passed[1]:.0%}")


if __name__ == "__main__":
    main()
