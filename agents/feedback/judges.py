"""Four fitted judges. Each turns named features into the probability that the text is *not* spoiled in its way.

`data/judges.json` holds for each judge a bias and a weight per feature, fitted by `benchmarks/feedback/fit.py`
(logistic regression on documented functions of installed packages, against corrupted copies of themselves).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from agents.feedback.evidence import code_words
from agents.feedback.fact_records import FunctionFacts
from agents.feedback.facts import function_facts
from agents.feedback.lexicon import Lexicon, default_lexicon
from agents.feedback.references import reference_features
from agents.feedback.substance import echo_features, vague_features
from agents.feedback.summary_fit import Reading, summary_features

__all__ = ["FEATURES", "Judge", "default_judges", "read", "readable"]

MAX_TEXT, MAX_ENTRIES = 4_000, 100
"""So much of a text and of a list is read: time must not grow with what somebody pastes in."""

FEATURES = {
    "summary": summary_features,
    "reference": reference_features,
    "vague": vague_features,
    "echo": echo_features,
}


@dataclass(frozen=True)
class Judge:
    """P(good) = σ(bias + Σ weight · term); a term is a feature, or `a*b`, the product of two (`a*a`: a square)."""

    name: str
    bias: float
    weights: dict[str, float]

    def log_odds(self, features: dict[str, float]) -> float:
        total = self.bias
        for term, weight in self.weights.items():
            one, _, other = term.partition("*")
            total += weight * features[one] * (features[other] if other else 1.0)
        return total

    def probability(self, features: dict[str, float], prior: float = 0.0) -> float:
        """P(good) when `prior` (log-odds) is added to what the features say."""
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, self.log_odds(features) + prior))))


@lru_cache(maxsize=1)
def default_judges() -> dict[str, Judge]:
    """The judges shipped with the package, by name."""
    data = json.loads(files("agents.feedback").joinpath("data/judges.json").read_text("utf-8"))
    return {name: Judge(name, entry["bias"], entry["weights"]) for name, entry in data["judges"].items()}


def read(
    source: str, annotation: dict[str, object], facts: FunctionFacts | None = None, lexicon: Lexicon | None = None
) -> Reading | None:
    """An annotation beside its function, ready for the judges; None when the source holds no function."""
    facts = facts or function_facts(source)
    if facts is None:
        return None
    lexicon = lexicon or default_lexicon()
    return Reading(
        facts=facts,
        source=source,
        summary=str(annotation.get("summary") or ""),
        details=str(annotation.get("details") or ""),
        structured=structured_text(annotation),
        documented=documented_names(annotation),
        code=code_words(facts, source, lexicon.known),
        lexicon=lexicon,
    )


def readable(annotation: object) -> dict[str, object]:
    """An annotation in its proper form, whatever was given: texts of limited length, lists of entries, no surprises."""
    given = annotation if isinstance(annotation, Mapping) else {}
    returned = given.get("returns")
    return {
        "summary": _text(given.get("summary")),
        "details": _text(given.get("details")),
        "params": _entries(given.get("params")),
        "returns": _entry(returned) if isinstance(returned, Mapping) else None,
        "raises": _entries(given.get("raises")),
    }


def _entries(listed: object) -> list[dict[str, object]]:
    entries = listed[:MAX_ENTRIES] if isinstance(listed, list | tuple) else ()
    return [_entry(each) for each in entries if isinstance(each, Mapping)]


def _entry(entry: Mapping[str, object]) -> dict[str, object]:
    return {key: _text(entry.get(key)) for key in ("name", "type", "description")}


def _text(value: object) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def documented_names(annotation: dict[str, object]) -> frozenset[str]:
    """Parameters that have an entry of their own."""
    listed = annotation.get("params")
    entries = listed if isinstance(listed, list) else []
    return frozenset(str(entry.get("name") or "").strip("*` ") for entry in entries if isinstance(entry, dict))


def structured_text(annotation: dict[str, object]) -> str:
    """Descriptions of parameters and exceptions as one text.

    The return is left out: a return that is true must neither buy nor cost anything in the judgement of the prose.
    """
    entries: list[object] = []
    for key in ("params", "raises"):
        listed = annotation.get(key)
        entries.extend(listed if isinstance(listed, list) else [])
    return " ".join(str(entry.get("description") or "") for entry in entries if isinstance(entry, dict)).strip()
