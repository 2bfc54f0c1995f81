"""How often each known attack on the discriminator fails: ROC-AUC and paired wins of good over attacked.

    python -m benchmarks.feedback.attacks ROWS.jsonl

ROWS in the form that `benchmarks.feedback.corpus` writes; use packages that the judges were not fitted on.
"""

from __future__ import annotations

import collections
import json
import random
import sys
import time
from pathlib import Path

from sklearn.metrics import roc_auc_score

from agents.feedback.discriminator import score_annotation
from benchmarks.feedback.corruptions import ATTACKS, FITTED


def main() -> None:
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text().split("\n") if line]
    by_package = collections.defaultdict(list)
    for row in rows:
        by_package[row["package"]].append(row)
    started = time.perf_counter()
    good = [score_annotation(row["source"], row["annotation"]) for row in rows]
    print(f"{len(rows)} functions, {1000 * (time.perf_counter() - started) / len(rows):.1f} ms an annotation")
    kinds = {**ATTACKS, **{name: make for group in FITTED.values() for name, make in group.items()}}
    for name, make in kinds.items():
        rng = random.Random(5)
        pairs = []
        for row, score in zip(rows, good, strict=True):
            spoiled = make(row, by_package[row["package"]], rng)
            if spoiled is not None:
                pairs.append((score, score_annotation(row["source"], spoiled)))
        wins = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)
        auc = roc_auc_score([1] * len(good) + [0] * len(pairs), good + [b for _, b in pairs])
        print(f"  {name:18s} AUC {auc:.3f}  paired {wins:.3f}  n {len(pairs)}")


if __name__ == "__main__":
    main()
