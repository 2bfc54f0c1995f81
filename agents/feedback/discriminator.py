"""Score a comment against the code it describes: claims, gates, four scores, one reward in 0..1.

    accuracy  = Π_claims cost(claim) · P_summary · P_reference
    coherence = P_vague · P_echo · (1 − 0.9 repetition)
    reward    = accuracy · coherence · (0.80 + 0.15 coverage + 0.05 formatting)

P are the fitted judges' probabilities that the text is not spoiled in their way, with a prior that a comment is honest.
Gates are multiplied, not averaged: one contradiction cannot be bought off, and coverage saturates, so length earns
nothing. A return that is true neither buys nor costs; an exception that only a callee could raise is not held against
the comment. The reward compares rounds of one generator: it does not say that a tool writes better than a human.
"""

from __future__ import annotations

import math
import re

from agents.feedback.claims import Claim
from agents.feedback.fact_records import FunctionFacts
from agents.feedback.judges import FEATURES, default_judges, read, readable
from agents.feedback.polarity import polarity_claims
from agents.feedback.records import DirectiveName, DiscriminatorScore, Issue
from agents.feedback.references import parameter_claims, signature_claim
from agents.feedback.returns import raise_claim, return_claim
from agents.feedback.substance import GENERIC, repetition
from agents.feedback.summary_fit import Reading, llr
from agents.feedback.words import content, words

__all__ = ["judge_annotation", "score_annotation"]

PRIOR_LOG_ODDS = 1.5
"""A comment is presumed honest: about 4.5 to 1 before its features are looked at."""
CONTRADICTED_COST = 0.01
ENTRIES_ALONE = 0.25
"""Reward of an annotation that describes the parameters and nothing else."""
_NO_FUNCTION = DiscriminatorScore(
    reward=0.0,
    coverage=0.0,
    accuracy=0.0,
    coherence=0.0,
    formatting=0.0,
    issues=(
        Issue(
            kind="source",
            message="no function to check against",
            evidence="the source holds no function that parses",
            fix="give the source of one function",
            line=1,
            weight=1.0,
        ),
    ),
)


def score_annotation(source: str, annotation: dict[str, object]) -> float:
    """Reward in 0..1 of an annotation of the function in `source`, higher is better.

    `annotation`: {summary, details, params: [{name, type, description}], returns: {type, description} | None,
    raises: [{type, description}]}; a key that is missing or of another type counts as empty, a text is read up to
    4,000 characters, a list up to 100 entries. 0.0 when the source holds no function. Never raises.
    """
    return judge_annotation(source, annotation).reward


def judge_annotation(
    source: str, annotation: dict[str, object], facts: FunctionFacts | None = None
) -> DiscriminatorScore:
    """The reward with its reasons: every claim with its status, every gate, every issue with evidence and fix."""
    annotation = readable(annotation)
    reading = read(source, annotation, facts) if isinstance(source, str) else None
    if reading is None:
        return _NO_FUNCTION
    claims = find_claims(reading, annotation)
    if not words(reading.prose):
        return _without_prose(reading, claims)
    judges = default_judges()
    gates = {name: judges[name].probability(find(reading), PRIOR_LOG_ODDS) for name, find in FEATURES.items()}
    gates["repetition"] = 1.0 - 0.9 * repetition(reading)
    gates["claims"] = math.prod(_cost(claim) for claim in claims)
    coverage, missing = _coverage(reading)
    formatting, flaws = _formatting(reading)
    accuracy = gates["claims"] * gates["summary"] * gates["reference"]
    coherence = gates["vague"] * gates["echo"] * gates["repetition"]
    reward = accuracy * coherence * (0.80 + 0.15 * coverage + 0.05 * formatting)
    issues = [*_claim_issues(claims, reading.facts), *_gate_issues(gates, reading), *missing, *flaws]
    return DiscriminatorScore(
        reward=reward,
        coverage=coverage,
        accuracy=accuracy,
        coherence=coherence,
        formatting=formatting,
        gates=gates,
        claims=tuple(claims),
        issues=tuple(sorted(issues, key=lambda issue: -issue.weight)),
    )


def find_claims(reading: Reading, annotation: dict[str, object]) -> list[Claim]:
    """Every checkable claim of the annotation with its status."""
    claims = parameter_claims(reading, _entries(annotation, "params"))
    returned = annotation.get("returns")
    found = [
        return_claim(reading.facts, returned if isinstance(returned, dict) else None),
        signature_claim(reading),
        *(raise_claim(reading.facts, entry, reading.source) for entry in _entries(annotation, "raises")),
    ]
    return [*claims, *(claim for claim in found if claim is not None), *polarity_claims(reading)]


def _entries(annotation: dict[str, object], key: str) -> list[dict[str, object]]:
    listed = annotation.get(key)
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def _cost(claim: Claim) -> float:
    """Factor on the reward: 1 for what holds or cannot be settled, near 0 for a contradiction."""
    if claim.status == "contradicted":
        return CONTRADICTED_COST
    if claim.status == "unsupported":
        return float((1.0 - min(0.95, claim.doubt if claim.doubt is not None else 0.7)) ** 1.5)
    return 1.0


def _without_prose(reading: Reading, claims: list[Claim]) -> DiscriminatorScore:
    """Entries of parameters alone are worth something, as far as they are true; nothing at all is worth nothing."""
    issue = Issue(
        kind="empty", message="there is no summary", evidence="summary and details hold no words",
        fix="say in one sentence what the function is for", line=reading.facts.line, weight=1.0, directive="header",
    )  # fmt: skip
    accuracy = math.prod(_cost(claim) for claim in claims)
    return DiscriminatorScore(
        reward=ENTRIES_ALONE * accuracy if words(reading.structured) else 0.0,
        coverage=0.0, accuracy=accuracy, coherence=0.0, formatting=0.0, claims=tuple(claims),
        issues=(issue, *_claim_issues(claims, reading.facts)),
    )  # fmt: skip


def _coverage(reading: Reading) -> tuple[float, list[Issue]]:
    """Share of the parameters that have an entry, where any has one; a comment without entries is not held to them."""
    params = reading.facts.visible_params
    if not reading.documented or not params:
        return 1.0, []
    missing = [p.name for p in params if p.name not in reading.documented and not p.kind.startswith("var_")]
    share = 1.0 - len(missing) / len(params)
    if not missing:
        return 1.0, []
    listed = ", ".join(missing)
    issue = Issue(
        kind="missing_params", message=f"parameters without an entry: {listed}",
        evidence=f"the signature has {len(params)}, the comment {len(params) - len(missing)}",
        fix=f"document {listed}", line=reading.facts.line, weight=0.15 * (1 - share), directive="params",
    )  # fmt: skip
    return share, [issue]


def _formatting(reading: Reading) -> tuple[float, list[Issue]]:
    """1 less a third for each: no capital at the start, a summary above 160 characters, an empty description."""
    flaws = []
    if (
        reading.summary[:1].isalpha()
        and reading.summary[:1].islower()
        and not reading.summary.startswith(reading.facts.name)
    ):
        flaws.append("the summary begins with a small letter")
    if len(reading.summary) > 160:
        flaws.append(f"the summary has {len(reading.summary)} characters")
    if re.search(r"\s{3,}|\t", reading.summary):
        flaws.append("the summary holds runs of blanks")
    issues = [
        Issue(kind="formatting", message=flaw, evidence=reading.summary[:80], fix="one plain sentence",
              line=reading.facts.line, weight=0.017, directive="concise")
        for flaw in flaws
    ]  # fmt: skip
    return 1.0 - len(flaws) / 3, issues


_CLAIM_DIRECTIVES: dict[str, DirectiveName] = {
    "summary": "header", "param": "params", "default": "params", "type": "types", "reference": "params",
    "return": "returns", "raise": "raises", "effect": "effects", "absence": "effects",
}  # fmt: skip


def _claim_issues(claims: list[Claim], facts: FunctionFacts) -> list[Issue]:
    return [
        Issue(
            kind=f"{claim.status}_{claim.kind}", message=f"{claim.kind} {claim.text[:80]!r} is {claim.status}",
            evidence=claim.evidence, fix=claim.fix or "check it against the code", line=claim.line,
            scope=facts.qualname,
            weight=1.0 - _cost(claim), directive=_CLAIM_DIRECTIVES[claim.kind],
        )
        for claim in claims
        if claim.status in ("contradicted", "unsupported")
    ]  # fmt: skip


def _gate_issues(gates: dict[str, float], reading: Reading) -> list[Issue]:
    """An issue for each gate below one half, with the words that closed it."""
    texts = content(words(reading.prose))
    generic = sorted({word for word in words(reading.prose) if content([word]) and content([word])[0] in GENERIC})
    strange = sorted(dict.fromkeys(texts), key=lambda word: llr(word, reading))[:4]
    explained: dict[str, tuple[str, str, str, DirectiveName | None]] = {
        "summary": ("the summary does not seem to describe this function",
                    f"least expected beside this code: {', '.join(strange)}", "say what this function does", "header"),
        "reference": ("names in the prose that the code does not know, or parameters unmentioned",
                      f"parameters: {', '.join(p.name for p in reading.facts.visible_params) or 'none'}",
                      "use the names of the signature", "params"),
        "vague": ("the text would fit any function", f"words that tell nothing: {', '.join(generic[:8])}",
                  "say what goes in, what comes out, and why", "header"),
        "echo": ("the text repeats the code instead of explaining it", reading.prose[:80],
                 "say what the code is for, in words that it lacks", None),
        "repetition": ("sentences are repeated", reading.prose[:80], "say each thing once", "concise"),
    }  # fmt: skip
    issues = []
    for name, (message, evidence, fix, directive) in explained.items():
        if gates[name] < 0.5:
            issues.append(
                Issue(
                    kind=name, message=message, evidence=evidence, fix=fix, line=reading.facts.line,
                    scope=reading.facts.qualname, weight=1.0 - gates[name], directive=directive,
                )
            )  # fmt: skip
    return issues
