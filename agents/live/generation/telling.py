"""What a model is told of an opportunity: the code around the function, the evidence, the goals."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from agents.live.generation.service import ServiceCode
from core.improvement import ImprovementOpportunity

__all__ = ["code_of", "evidence_of", "goals_of"]

SHOWN_CHARACTERS = 9_500
COVERAGE_GOAL = 85


def goals_of(opportunity: ImprovementOpportunity) -> str:
    """Target, coverage, patterns, compatibility; numbers only, nothing that somebody else wrote."""
    return (
        f"- {opportunity.performance_gain_percent:.0f} % less time, or fewer failures, where the telemetry points\n"
        f"- the service's tests pass unchanged, and run more than {COVERAGE_GOAL} % of every changed file\n"
        "- the existing patterns of the code are kept\n"
        "- whoever calls it need not change: same names, parameters, results and errors\n"
        "- every function has a cyclomatic complexity below 10"
    )


def evidence_of(opportunity: ImprovementOpportunity, lessons: Sequence[str] = ()) -> str:
    """The sentences of the evidence, where it points, and what came of improvements of its kind."""
    place = f"{opportunity.file or 'file not known'}, {opportunity.function or 'function not known'}"
    head = f"{opportunity.kind} in {opportunity.component} ({place}), severity {opportunity.severity}"
    subject = [f"about: {opportunity.subject}"] if opportunity.subject else []
    learned = [f"- learned so far: {lesson}" for lesson in lessons]
    return "\n".join([head, *subject, *(f"- {line}" for line in opportunity.evidence), *learned])


def code_of(opportunity: ImprovementOpportunity, service: ServiceCode) -> str:
    """The named file first, then those that import it or that it imports, as many as fit whole."""
    named = opportunity.file
    others = sorted(
        (path for path in service.changeable if path != named),
        key=lambda path: (not _speaks_of(service.files[path], named), path),
    )
    told, size = list[str](), 0
    for path in [*([named] if named in service.files else []), *others]:
        part = f"# {path}\n{service.files[path]}\n"
        if size + len(part) > SHOWN_CHARACTERS:
            if told:
                continue
            part = f"# {path}, in part\n{_function_text(service.files[path], opportunity.function)}\n"
        told.append(part)
        size += len(part)
    return "\n".join(told) or "no file may be changed"


def _speaks_of(text: str, named: str) -> bool:
    module = named.removesuffix(".py").removesuffix("/__init__").rsplit("/", 1)[-1]
    return (bool(module) and f"import {module}" in text) or f".{module} import" in text


def _function_text(text: str, function: str) -> str:
    """The function alone where a file is too long to be shown; its beginning where there is none of that name."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text[:SHOWN_CHARACTERS]
    name = function.rsplit(".", 1)[-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name:
            return ast.get_source_segment(text, node) or ""
    return text[:SHOWN_CHARACTERS]
