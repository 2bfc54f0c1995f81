"""Learn which words of prose go with which words of code, from documented functions.

    python -m benchmarks.feedback.lexicon CORPUS.jsonl agents/feedback/data/lexicon.json [A | B]

Notation: c word of code (stem), w word of a summary (stem), a_c prior weight of c by its field, t(w|c) translation
probability. IBM model 1 (Brown et al. 1993, Computational Linguistics 19(2), §4.1) with a NULL word and field priors:

    P(w | function) = Σ_c a_c t(w|c) / Σ_c a_c          t re-estimated by EM, 6 rounds

Kept are pairs of two different words seen together in at least 3 packages with t above `MIN_PROBABILITY`.
"""

from __future__ import annotations

import collections
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from agents.feedback.evidence import code_words
from agents.feedback.facts import function_facts
from agents.feedback.words import content, stem, words

MIN_PACKAGES = 3
MIN_PROBABILITY = 0.006
ROUNDS = 6
NULL_WEIGHT = 6.0


def main() -> None:
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text().split("\n") if line]
    keep = sys.argv[3] if len(sys.argv) > 3 else ""
    if keep:
        rows = [row for row in rows if (part(row["package"]) < 7) == (keep == "A")]
    Path(sys.argv[2]).write_text(json.dumps(learn(rows), separators=(",", ":"), sort_keys=True) + "\n")


def part(package: str) -> int:
    """0…9, the same for all functions of a package."""
    return sum(ord(letter) * (index + 1) for index, letter in enumerate(package)) % 10


def doc_words(annotation: dict[str, Any]) -> list[str]:
    """Content stems of the summary and the beginning of the details, at most 30."""
    return content(words(f"{annotation['summary']} {annotation['details'][:200]}"))[:30]


def learn(rows: list[dict[str, Any]]) -> dict[str, Any]:
    documents = [doc_words(row["annotation"]) for row in rows]
    frequency: collections.Counter[str] = collections.Counter()
    spread: dict[str, set[str]] = collections.defaultdict(set)
    for row, document in zip(rows, documents, strict=True):
        for word in set(document):
            frequency[word] += 1
            spread[word].add(
                row["package"].split(".")[0] if not row["package"].startswith("stdlib") else row["package"]
            )
    known = {word for word in frequency if len(spread[word]) >= MIN_PACKAGES}
    code = []
    code_spread: dict[str, set[str]] = collections.defaultdict(set)
    for row in rows:
        facts = function_facts(row["source"])
        found = code_words(facts, "", known) if facts else {}
        code.append(found)
        for word in found:
            code_spread[word].add(row["package"])
    code_known = {word for word in code_spread if len(code_spread[word]) >= MIN_PACKAGES}
    w_index = {word: index for index, word in enumerate(sorted(known))}
    c_index = {word: index + 1 for index, word in enumerate(sorted(code_known))}
    translations = _em(rows, documents, code, w_index, c_index)
    total = sum(frequency.values())
    whole, as_param = _whole_texts(rows)
    return {
        "documents": len(rows),
        "idf": {word: round(math.log(len(rows) / whole[word]), 2) for word in sorted(whole)},
        "param_likeness": {
            word: ratio
            for word in sorted(as_param)
            if as_param[word] >= 3
            and (ratio := round(math.log((as_param[word] + 0.5) / (whole.get(word, 0) + 0.5)), 1)) > -2.5
        },
        "background": {word: round(math.log(frequency[word] / total), 2) for word in sorted(known)},
        "translations": translations,
    }


def _whole_texts(rows: list[dict[str, Any]]) -> tuple[dict[str, int], dict[str, int]]:
    """In how many whole texts each stem occurs (in at least 2 packages), and in how many signatures as a parameter."""
    whole: collections.Counter[str] = collections.Counter()
    as_param: collections.Counter[str] = collections.Counter()
    spread: dict[str, set[str]] = collections.defaultdict(set)
    for row in rows:
        annotation = row["annotation"]
        text = " ".join(
            [annotation["summary"], annotation["details"], *(p["description"] for p in annotation["params"])]
        )
        for word in set(content(words(text))):
            whole[word] += 1
            spread[word].add(row["package"])
        facts = function_facts(row["source"])
        names = {param.name.lower() for param in facts.visible_params} if facts else set()
        as_param.update({stem(name) for name in names if name.isalpha() and len(name) > 1})
    return {word: count for word, count in whole.items() if len(spread[word]) >= 2}, as_param


def _em(rows, documents, code, w_index, c_index):  # type: ignore[no-untyped-def]
    slots, ws, cs, priors, packages = [], [], [], [], []
    package_index: dict[str, int] = {}
    slot = 0
    for row, document, found in zip(rows, documents, code, strict=True):
        package = package_index.setdefault(row["package"], len(package_index))
        sources = [(0, NULL_WEIGHT), *((c_index[c], weight) for c, weight in found.items() if c in c_index)]
        for word in document:
            if word not in w_index:
                continue
            for c, weight in sources:
                slots.append(slot)
                ws.append(w_index[word])
                cs.append(c)
                priors.append(weight)
                packages.append(package)
            slot += 1
    slots_a, prior = np.array(slots, np.int32), np.array(priors, np.float32)
    width = len(w_index)
    key = np.array(cs, np.int64) * width + np.array(ws, np.int64)
    pairs, pair = np.unique(key, return_inverse=True)
    seen = np.unique(pair.astype(np.int64) * len(package_index) + np.array(packages, np.int64))
    spread = np.bincount(seen // len(package_index), minlength=len(pairs))
    pair_c = pairs // width
    t = np.ones(len(pairs)) / width
    counts = t
    for _ in range(ROUNDS):
        weight = prior * t[pair]
        weight /= np.bincount(slots_a, weight, minlength=slot)[slots_a]
        counts = np.bincount(pair, weight, minlength=len(pairs))
        t = counts / np.bincount(pair_c, counts)[pair_c]
    w_names, c_names = sorted(w_index), ["", *sorted(c_index)]
    result: dict[str, dict[str, float]] = collections.defaultdict(dict)
    keep = (spread >= MIN_PACKAGES) & (t >= MIN_PROBABILITY) & (pair_c > 0) & (counts >= 1.0)
    for index in np.flatnonzero(keep):
        c, w = c_names[pair_c[index]], w_names[pairs[index] % width]
        if c != w:
            result[c][w] = round(float(t[index]), 3)
    return {c: dict(sorted(found.items(), key=lambda item: -item[1])[:25]) for c, found in sorted(result.items())}


if __name__ == "__main__":
    main()
