"""Guidance in words → directives. What no directive can follow is given back, not pretended.

A sentence is cut into clauses; a clause asks for a topic when it names it, and against it when it is negated:
`Focus on type hints, but no complexity remarks` → types, no complexity.
"""

from __future__ import annotations

import re
from typing import Literal

from agents.feedback.records import Directive, DirectiveName

__all__ = ["DIRECTIVE_TEXT", "parse_guidance"]

_TOPICS: tuple[tuple[DirectiveName, str], ...] = (
    ("types", r"\btyp(?:e|es|ing|ed)\b|\bannotation|\bhints?\b|\buntyped"),
    ("header", r"\bheaders?\b|\b(?:module|class) (?:doc|summar|overview)|\boverview|\bpurpose|\bsummar(?:y|ies)"),
    ("params", r"\bparam(?:s|eter|eters)?\b|\bargs?\b|\barguments?\b|\binputs?\b"),
    ("returns", r"\breturn(?:s|ed)?\b|\boutputs?\b|\bresults?\b|\byields?\b"),
    ("raises", r"\brais(?:e|es|ed|ing)\b|\bexceptions?\b|\berrors?\b|\bfailures?\b"),
    ("effects", r"\b(?:side[- ])?effects?\b|\bmutat\w+|\bI/?O\b|\bstate changes?"),
    ("complexity", r"\bcomplex\w*|\bhot ?spots?\b|\bnest(?:ed|ing)\b|\bcyclomatic"),
    ("invariants", r"\binvariants?\b|\bpre-?conditions?\b|\bguards?\b|\bassert\w*|\bconstraints?\b|\bassum\w+"),
    ("todo", r"\btodos?\b|\bfixmes?\b|\bopen points?\b|\bunfinished"),
    ("concise", r"\bconcise|\bshort(?:er)?\b|\bbrief\w*|\bterse|\bless (?:text|verbose)|\bverbos\w*|\btrim\b"),
)  # fmt: skip
_FUNCTION_HEADERS = re.compile(r"\bfunction headers?\b|\bsignatures?\b", re.IGNORECASE)
_NEGATION = re.compile(
    r"\b(?:no|not|don't|do not|without|skip|drop|omit|remove|avoid|ignore|stop|leave out|less|fewer|never)\b",
    re.IGNORECASE,
)

DIRECTIVE_TEXT: dict[DirectiveName, str] = {
    "types": "Name the parameters and results that have no type.",
    "header": "Say what the module and its classes are for, and what they depend on.",
    "params": "Describe every parameter, with its default.",
    "returns": "Say what is returned or yielded.",
    "raises": "Say which exceptions leave, and when.",
    "effects": "Name the side effects: attributes, arguments, globals, I/O.",
    "complexity": "Point at the complexity hot spots.",
    "invariants": "State what guards and assertions take for granted.",
    "todo": "List what is marked as unfinished.",
    "concise": "Be concise: one statement a topic.",
}


def parse_guidance(
    text: str, origin: Literal["human", "agitator", "history"] = "human"
) -> tuple[list[Directive], list[str]]:
    """Directives of a guidance text, and the clauses that no directive covers (they would need a model).

    A later clause overrules an earlier one on the same topic; a negation holds for its own clause and for the topics
    listed after it (`no types, params`).
    """
    chosen: dict[DirectiveName, Directive] = {}
    unmet: list[str] = []
    negated = False
    for sentence in re.split(r"[.;!?\n]+|\bbut\b|\bhowever\b", text, flags=re.IGNORECASE):
        negated = False
        for clause in re.split(r",|\band\b", sentence):
            if not clause.strip():
                continue
            found = [name for name, pattern in _TOPICS if re.search(pattern, clause, re.IGNORECASE)]
            if _FUNCTION_HEADERS.search(clause):  # `review function headers`: what stands in a signature
                found = [name for name in ("types", "params", "returns") if name not in found] + [
                    name for name in found if name != "header"
                ]
            if not found:
                unmet.append(clause.strip())
                continue
            if _NEGATION.search(clause):
                negated = True
            elif re.search(
                r"\b(?:add|focus|show|list|describe|include|only|more|please|want|need)\b", clause, re.IGNORECASE
            ):
                negated = False
            verbose = re.search(r"\bverbos\w*", clause, re.IGNORECASE) is not None
            for name in found:
                wanted = negated if name == "concise" and verbose else not negated
                if name == "concise" and re.search(r"\bless\b", clause, re.IGNORECASE):
                    wanted = True
                chosen.pop(name, None)
                chosen[name] = Directive(name=name, wanted=wanted, origin=origin)
    return list(chosen.values()), unmet
