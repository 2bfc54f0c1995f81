"""Does the text say anything, in words of its own? Features against empty phrases, echoes of code, and repetition."""

from __future__ import annotations

import math
import re

from agents.feedback.summary_fit import Reading, name_stems
from agents.feedback.words import STOP_WORDS, content, sentences, stem, words

__all__ = ["GENERIC", "echo_features", "repetition", "vague_features"]

GENERIC = frozenset(
    stem(word)
    for word in [
        "accordingly", "action", "actions", "appropriate", "appropriately", "approach", "argument", "arguments",
        "aspect", "aspects", "associated", "basic", "basically", "behavior", "behaviour", "best", "call", "called",
        "care", "careful", "case", "cases", "certain", "code", "common", "component", "components", "compute",
        "condition", "conditions", "core", "correct", "correctly", "corresponding", "current", "data", "deal",
        "deals", "defined", "design", "desired", "detail", "details", "different", "do", "easy", "effective",
        "efficient", "entry", "ensure", "ensures", "execute", "executes", "expected", "feature", "features", "flow",
        "follow", "follows", "function", "functionality", "functions", "general", "generic", "given", "handle",
        "handles", "handling", "helper", "implement", "implementation", "implements", "important", "information",
        "input", "inputs", "instance", "internal", "involved", "item", "items", "job", "kind", "logic", "main",
        "manage", "manages", "manner", "mechanism", "method", "methods", "module", "multiple", "necessary",
        "needed", "normal", "object", "objects", "operate", "operation", "operations", "output", "outputs",
        "overall", "parameter", "parameters", "part", "perform", "performs", "point", "possible", "practice",
        "practices", "procedure", "process", "processed", "processes", "processing", "program", "proper",
        "properly", "provide", "provided", "provides", "purpose", "purposes", "related", "relevant", "require",
        "required", "requirements", "respective", "responsible", "rest", "result", "resulting", "results", "return",
        "returned", "returns", "robust", "routine", "run", "runs", "several", "simple", "situation", "situations",
        "specific", "specified", "stage", "standard", "step", "steps", "stuff", "suitable", "support", "supports",
        "system", "task", "tasks", "thing", "things", "type", "types", "underlying", "usage", "use", "used",
        "useful", "user", "uses", "using", "usual", "utility", "validate", "validates", "value", "values",
        "variable", "variables", "various", "way", "work", "works", "wrapper"
    ]
)  # fmt: skip
"""Stems that fit any function: a text made of them and of the function's own name tells nothing."""

_CODE_MARKS = re.compile(r"[=\[\]{}()]|==|!=|->|\w\.\w|_\w|;|:=")
_STEP = re.compile(
    r"\b(sets?|assigns?|calls?|returns?|checks?|loops?|raises?|iterates?|increments?|imports?|appends?|handles?|uses?)\b"
    r"\s+(?:if\s+|over\s+|to\s+|an?\s+|the\s+|result\s+of\s+|for\s+)?[\w.'\"(\[]+(?:\(|\s+to\s+\S|\s+over\s+|\.)",
    re.IGNORECASE,
)


def vague_features(reading: Reading) -> dict[str, float]:
    """How little the prose tells: its specific stems are those that are neither generic nor parts of the name."""
    found = content(words(reading.prose))
    own_name = set(name_stems(reading.facts, reading.lexicon))
    distinct = list(dict.fromkeys(found))
    specific = [word for word in distinct if word not in GENERIC and word not in own_name]
    information = sum(reading.lexicon.idf(word) for word in specific)
    summary = list(dict.fromkeys(content(words(reading.lead))))
    summary_specific = [word for word in summary if word not in GENERIC and word not in own_name]
    descriptions = content(words(reading.structured))
    return {
        "generic_share": 1.0 - len(specific) / max(1, len(distinct)),
        "summary_generic_share": 1.0 - len(summary_specific) / max(1, len(summary)),
        "information": math.log1p(information),
        "summary_information": math.log1p(sum(reading.lexicon.idf(word) for word in summary_specific)),
        "grounded_information": math.log1p(sum(reading.lexicon.idf(word) for word in specific if word in reading.code)),
        "marked": 1.0 if re.search(r"[`*\"']\w+[`*\"']|\b\w+_\w+\b|\d", reading.prose) else 0.0,
        "generic_descriptions": sum(word in GENERIC for word in descriptions) / max(1, len(descriptions)),
        "generic_words": math.log1p(sum(word in GENERIC for word in distinct)),
        "length": math.log1p(len(found)),
    }


def echo_features(reading: Reading) -> dict[str, float]:
    """How much the prose is code again: symbols, too few little words, code words only, steps retold one by one."""
    # `name(a, b) -> …` at the start is how help() shows a signature, not an echo of the body
    prose = re.sub(
        rf"(?:<instance>\.|\b\w+\.)?\b{re.escape(reading.facts.name)}\([^)]*\)(?:\s*->)?", " ", reading.prose
    )
    plain = re.sub(r"``.*?``|`.*?`|:\w+:`.*?`|>>>.*", " ", prose)
    tokens = words(plain)
    text = content(tokens)
    flat = _flat(reading.source)
    pieces = [_flat(piece) for piece in re.split(r"[;.]\s|:;", prose) if len(piece) > 8]
    # shares of a short text say little, so they are shrunk towards what text usually has
    stop_share = (sum(token in STOP_WORDS for token in tokens) + 2.5) / (len(tokens) + 6)
    own = sum(word not in reading.code for word in text)
    lead_tokens = re.findall(r"[\w.']+", prose[: len(reading.summary)])
    in_code = {name.lower() for name in reading.facts.names} | {param.name.lower() for param in reading.facts.params}
    steps = len(_STEP.findall(prose)) / max(1, len(sentences(prose)))
    identifiers = [
        token for token in re.findall(r"[\w.]+", plain) if "_" in token.strip("_") or "." in token.strip(".")
    ]
    commas = plain.count(",") / max(4, len(tokens))
    return {
        "symbols": math.log1p(len(_CODE_MARKS.findall(plain)) * 20 / max(10, len(tokens))),
        "stop_share": stop_share,
        "own_share": (own + 1.5) / (len(text) + 3),
        "verbatim": sum(piece in flat for piece in pieces if piece) / max(1, len(pieces)),
        "steps": min(2.0, steps),
        "lead_in_code": sum(token.lower() in in_code for token in lead_tokens) / max(3, len(lead_tokens)),
        "identifiers": len(identifiers) / max(5, len(tokens)),
        "commas": commas,
        "capital": 1.0 if re.match(r"[A-Z`*\"]", reading.summary.strip()) else 0.0,
        "length": math.log1p(len(tokens)),
    }


def repetition(reading: Reading) -> float:
    """Share of sentences that repeat an earlier one, 0..1; the summary counts as a sentence."""
    seen: set[str] = set()
    repeated = 0
    pieces = [_flat(piece) for piece in re.split(r"[.;]\s+", reading.prose)]
    pieces = [piece for piece in pieces if len(piece) > 12]
    for piece in pieces:
        repeated += piece in seen
        seen.add(piece)
    return repeated / len(pieces) if pieces else 0.0


def _flat(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text).strip().lower()
