"""Fit the discriminator's judges and report how they do on packages that were left out.

    python -m benchmarks.feedback.fit CORPUS.jsonl agents/feedback/data/judges.json --lexicon LEXICON_A.json

Packages are split by name: the lexicon learns on seven tenths (part A), the judges are fitted on the rest (part B), so
that a judge never sees words that the lexicon learned from the same function. Cross-validation leaves
out whole packages.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from agents.feedback.judges import FEATURES, read
from agents.feedback.lexicon import Lexicon
from benchmarks.feedback.corruptions import FITTED
from benchmarks.feedback.lexicon import part

PRODUCTS = ("summary", "reference")
"""Judges that also get products of two features; for the others they bring nothing on left-out packages."""
PENALTY = {"summary": 0.01, "reference": 0.003, "vague": 0.3, "echo": 0.3}
"""Inverse strength of the L2 penalty, chosen by the AUC on left-out packages."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--lexicon", type=Path, required=True, help="learned on part A")
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--only", nargs="*", default=list(FEATURES), help="fit these judges, keep the others")
    args = parser.parse_args()
    rows = [row for row in map(json.loads, args.corpus.read_text().strip().split("\n")) if part(row["package"]) >= 7]
    random.Random(1).shuffle(rows)
    rows = rows[: args.rows]
    data = json.loads(args.lexicon.read_text())
    lexicon = Lexicon(**data)
    judges = {name: _fit(name, rows, lexicon) for name in args.only}
    story = {
        "rows": len(rows), "packages": len({row["package"] for row in rows}),
        "left_out_auc": {name: round(auc, 4) for name, (_, auc) in judges.items()},
    }  # fmt: skip
    print(json.dumps(story, indent=1))
    fitted = {name: entry for name, (entry, _) in judges.items()}
    if args.out.exists():
        before = json.loads(args.out.read_text())
        fitted = before["judges"] | fitted
        story["left_out_auc"] = before["fitted_on"]["left_out_auc"] | story["left_out_auc"]
    args.out.write_text(json.dumps({"fitted_on": story, "judges": fitted}, indent=1, sort_keys=True) + "\n")


def examples(
    name: str, rows: list[dict[str, Any]], lexicon: Lexicon
) -> tuple[list[dict[str, float]], list[int], list[str]]:
    """Features, label (1 good) and package of each good annotation and of each corrupted copy."""
    rng = random.Random(2)
    by_package = collections.defaultdict(list)
    for row in rows:
        by_package[row["package"]].append(row)
    found, labels, groups = [], [], []
    for row in rows:
        spoiled = [make(row, by_package[row["package"]], rng) for make in FITTED[name].values()]
        spoiled = [each for each in spoiled if each is not None]
        if not spoiled and rng.random() < 0.7:
            continue  # a share is kept, or silence about parameters would look like a fault
        for annotation, label in [(row["annotation"], 1), *([(rng.choice(spoiled), 0)] if spoiled else [])]:
            reading = read(row["source"], annotation, lexicon=lexicon)
            if reading is None:
                continue
            found.append(FEATURES[name](reading))
            labels.append(label)
            groups.append(row["package"])
    return found, labels, groups


def _fit(name: str, rows: list[dict[str, Any]], lexicon: Lexicon) -> tuple[dict[str, Any], float]:
    found, labels, groups = examples(name, rows, lexicon)
    terms = sorted(found[0])
    if name in PRODUCTS:
        terms += [f"{a}*{b}" for a, b in itertools.combinations_with_replacement(sorted(found[0]), 2)]
    x = np.array([[_term(each, term) for term in terms] for each in found])
    y = np.array(labels)
    varies = x.std(0) > 1e-6
    x, terms = x[:, varies], [term for term, keep in zip(terms, varies, strict=True) if keep]
    mean, scale = x.mean(0), x.std(0)
    z = (x - mean) / scale
    scores = np.zeros(len(y))
    for train, test in GroupKFold(5).split(z, y, groups):
        scores[test] = _model(name).fit(z[train], y[train]).decision_function(z[test])
    auc = float(roc_auc_score(y, scores))
    model = _model(name).fit(z, y)
    weights = model.coef_[0] / scale
    bias = float(model.intercept_[0] - (weights * mean).sum())
    print(name, len(y), f"AUC {auc:.3f}")
    rounded = {term: float(f"{weight:.3g}") for term, weight in zip(terms, weights, strict=True)}
    return {"bias": round(bias, 4), "weights": rounded}, auc


def _term(features: dict[str, float], term: str) -> float:
    one, _, other = term.partition("*")
    return features[one] * (features[other] if other else 1.0)


def _model(name: str) -> LogisticRegression:
    return LogisticRegression(C=PENALTY[name], max_iter=500)


if __name__ == "__main__":
    main()
