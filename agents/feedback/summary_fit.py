"""Does this summary belong to this function? Features, each a number, none of them a verdict.

Notation: w a content stem of the text, c a stem of the code, a_c the weight of its field, A = Σ a_c,
p(w) background probability, t(w|c) translation probability.

    P(w | code) = α [w ∈ code] a_w / A + β Σ_c a_c t(w|c) / A + (1-α-β) p(w)
    llr(w)      = log P(w | code) − log p(w)
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from functools import cached_property

from agents.feedback.fact_records import FunctionFacts
from agents.feedback.lexicon import Lexicon
from agents.feedback.words import STOP_WORDS, common_prefix, content, identifier_parts, segment, sentences, stem, words

__all__ = ["Reading", "llr", "name_stems", "summary_features"]

_ALPHA, _BETA = 0.4, 0.4
_NULL_MASS = 6.0
_LLR_RANGE = (-1.0, 6.0)
_MAX_WORDS = 60
_EMPTY_NAME_PARTS = frozenset([
    "get", "set", "do", "the", "of", "to", "in", "is", "has", "from", "by", "on", "and", "for", "with", "_", "a"
])  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """An annotation read beside its code, shared by all judges."""

    facts: FunctionFacts
    source: str
    summary: str
    details: str
    structured: str
    documented: frozenset[str]
    code: dict[str, float]
    lexicon: Lexicon
    ratios: dict[str, float] = field(default_factory=dict)
    """llr of words already asked for."""

    @cached_property
    def code_mass(self) -> float:
        return sum(self.code.values()) + _NULL_MASS

    @cached_property
    def translated(self) -> dict[str, float]:
        """w → Σ_c a_c t(w|c)."""
        found: dict[str, float] = {}
        for c, weight in self.code.items():
            for word, probability in self.lexicon.translations.get(c, {}).items():
                found[word] = found.get(word, 0.0) + weight * probability
        return found

    @property
    def prose(self) -> str:
        return f"{self.summary} {self.details}".strip()

    @property
    def lead(self) -> str:
        """The first sentence; the summary may be only the first line of it."""
        found = sentences(self.prose)
        return found[0] if found else self.prose


def llr(word: str, reading: Reading) -> float:
    """How much likelier `word` is beside this code than in documentation at large, nats, cut to a range."""
    known = reading.ratios.get(word)
    if known is not None:
        return known
    background = math.exp(reading.lexicon.background(word))
    exact = reading.code.get(word, 0.0)
    if not exact:
        exact = 0.5 * max((weight for c, weight in reading.code.items() if _abbreviates(c, word)), default=0.0)
    mass = _ALPHA * exact + _BETA * reading.translated.get(word, 0.0)
    probability = mass / reading.code_mass + (1 - _ALPHA - _BETA) * background
    low, high = _LLR_RANGE
    reading.ratios[word] = min(high, max(low, math.log(probability / background)))
    return reading.ratios[word]


def _abbreviates(c: str, word: str) -> bool:
    """`auth` ~ `authenticate`, `registr` ~ `register`: one is a prefix of the other, or they share five letters."""
    if c[0] != word[0]:
        return False
    shared = common_prefix(c, word)
    return shared >= 5 or (shared >= 3 and shared == min(len(c), len(word)) and max(len(c), len(word)) >= 6)


def name_stems(facts: FunctionFacts, lexicon: Lexicon) -> list[str]:
    """Stems of the parts of the function's name, empty parts (`get`, `is`, `of` …) left out unless they are all."""
    parts = [piece for part in identifier_parts(facts.name.strip("_")) for piece in segment(part, lexicon.known)]
    full = [stem(part) for part in parts if part not in _EMPTY_NAME_PARTS and len(part) > 1]
    return full or [stem(part) for part in parts]


def summary_features(reading: Reading) -> dict[str, float]:
    """Features of the fit between text and code. Shares are in 0..1; `*_llr` are in nats."""
    lexicon = reading.lexicon
    lead = list(dict.fromkeys(content(words(reading.lead))))[:30]
    text = list(dict.fromkeys(content(words(reading.prose))))[:_MAX_WORDS]
    ratios = {word: llr(word, reading) for word in dict.fromkeys([*lead, *text])}
    names = name_stems(reading.facts, lexicon)
    structured = frozenset(content(words(reading.structured)))
    verb = _verb(reading.lead)
    return {
        "lead_llr": _mean([ratios[word] for word in lead]),
        "text_llr": _mean([ratios[word] for word in text]),
        "lead_exact": _share(lead, lambda word: 1.0 if word in reading.code else 0.0, lexicon),
        "lead_name": _share(
            lead, lambda word: max((_close(name, word, lexicon) for name in names), default=0.0), lexicon
        ),
        "name_in_lead": _share(names, lambda name: max((_close(name, w, lexicon) for w in lead), default=0.0), lexicon),
        "name_in_text": _share(names, lambda name: max((_close(name, w, lexicon) for w in text), default=0.0), lexicon),
        "no_name": 1.0 if reading.facts.name.startswith("__") or not names else 0.0,
        "verb_name": max((_close(name, verb, lexicon) for name in names), default=0.0) if verb else 0.0,
        "verb_llr": ratios.get(verb, 0.0) if verb else 0.0,
        "mood": mood(reading),
        "worst_llr": _mean(sorted(ratios[word] for word in lead)[:3]),
        "best_llr": _mean(sorted((ratios[word] for word in lead), reverse=True)[:3]),
        "structured": _share(lead, lambda word: 1.0 if word in structured else 0.0, lexicon) if structured else 0.0,
        "has_structured": 1.0 if structured else 0.0,
        "lead_length": math.log1p(len(lead)),
        "code_length": math.log1p(len(reading.code)),
        "params_in_text": _params_in_text(reading),
        "has_params": 1.0 if reading.facts.visible_params else 0.0,
    }


def mood(reading: Reading) -> float:
    """Agreement of the form of the lead with what the body does: 1 agrees, -1 cannot be, 0 says nothing."""
    facts = reading.facts
    lead = f" {reading.lead.lower()} "
    value = facts.returns_value or facts.is_generator or facts.is_abstract
    kinds = {kind for returned in facts.returned for kind in returned.kinds}
    if re.match(r"\s*(yields?|generates?|iterat|iterator)\b", lead):
        return 1.0 if facts.is_generator else 0.3 if kinds & {"generator", "iterator"} else -0.3 if value else -1.0
    boolean = kinds == {"bool"} or "bool" in (facts.returns_annotation or "")
    if re.search(r"\b(return|returns|check|checks|test|tests|determines?|tells?)\b.{0,20}\b(true|whether|if)\b", lead):
        return 1.0 if boolean else 0.0 if "?" in kinds or "bool" in kinds or facts.raised else -0.6 if kinds else -1.0
    if re.search(r"\bdecorator\b", lead):
        return 1.0 if kinds & {"callable", "class"} else -0.3
    if re.search(r"\bcontext manager\b", lead):
        return 1.0 if facts.is_generator or any("contextmanager" in each for each in facts.decorators) else -0.2
    if re.match(r"\s*(returns?|gets?|calculates?|computes?|finds?|fetch|retrieves?)\b", lead):
        return 0.5 if value else -1.0
    if re.match(
        r"\s*(sets?|updates?|adds?|removes?|deletes?|stores?|saves?|writes?|registers?|resets?|clears?)\b", lead
    ):
        return 0.4 if facts.effects or facts.writes else 0.0 if not boolean else -0.4
    return 0.0 if not boolean else -0.1


def _verb(lead: str) -> str | None:
    for word in words(lead)[:6]:
        if word not in STOP_WORDS or word in ("get", "gets", "use", "do"):
            return stem(word)
    return None


def _close(name: str, word: str, lexicon: Lexicon) -> float:
    """Closeness of two stems: same 1, abbreviation or shared beginning 0.8, learned translation up to 0.7."""
    if name == word:
        return 1.0
    if _abbreviates(name, word):
        return 0.8
    return min(0.7, 4.0 * lexicon.translation(name, word))


def _params_in_text(reading: Reading) -> float:
    params = reading.facts.visible_params
    if not params:
        return 0.0
    tokens = set(re.findall(r"\w+", f"{reading.prose} {reading.structured}"))
    stems = {stem(token.lower()) for token in tokens}
    seen = sum(param.name in tokens or stem(param.name.lower()) in stems for param in params)
    return seen / len(params)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _share(items: list[str], measure, lexicon: Lexicon) -> float:  # type: ignore[no-untyped-def]
    """Mean of `measure` over `items`, rare words counting more."""
    total = sum(lexicon.idf(item) for item in items)
    return sum(lexicon.idf(item) * measure(item) for item in items) / total if total else 0.0
