"""What a model is shown of a file: its functions with their comments, in batches of a bounded size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from agents.feedback.fact_records import FunctionFacts
from agents.feedback.facts import module_facts
from agents.feedback.file_score import function_source
from agents.feedback.records import CodeComments, ScopeSummary
from agents.feedback.sources import plain_newlines

__all__ = ["BATCH", "BATCH_CHARACTERS", "MAX_BATCHES", "Scope", "batches", "scopes", "shown"]

BATCH = 6
"""Functions of one question."""
BATCH_CHARACTERS = 6000
MAX_BATCHES = 20
"""Questions a file and round; what is beyond stays with the rules."""


@dataclass(frozen=True)
class Scope:
    """A commented function, its facts, and its source without the docstring.

    `label` is its name as the model is told it: with the line where two functions of the file have the same.
    """

    label: str
    summary: ScopeSummary
    facts: FunctionFacts
    source: str

    @property
    def key(self) -> tuple[str, int]:
        return (self.summary.name, self.summary.line)


def scopes(code: str, comments: CodeComments) -> list[Scope]:
    """The functions of a file that have comments, in order."""
    facts = {(f.qualname, f.line): f for f in module_facts(code).functions if f.kind != "nested"}
    often = Counter(name for name, _ in facts)
    lines = plain_newlines(code).split("\n")
    return [
        Scope(one.name if often[one.name] == 1 else f"{one.name}@{one.line}", one, found, function_source(lines, found))
        for one in comments.summaries
        if one.scope == "function" and (found := facts.get((one.name, one.line))) is not None
    ]


def batches(found: Sequence[Scope]) -> tuple[list[list[Scope]], list[Scope]]:
    """Bounded batches in order, and the scopes that fit into none: too long, or beyond `MAX_BATCHES`."""
    made: list[list[Scope]] = [[]]
    left: list[Scope] = []
    size = 0
    for scope in found:
        length = len(scope.source) + len(scope.label)
        if length > BATCH_CHARACTERS:
            left.append(scope)
            continue
        if len(made[-1]) == BATCH or size + length > BATCH_CHARACTERS:
            made.append([])
            size = 0
        made[-1].append(scope)
        size += length
    left += [scope for batch in made[MAX_BATCHES:] for scope in batch]
    return [batch for batch in made[:MAX_BATCHES] if batch], left


def shown(batch: Sequence[Scope]) -> str:
    """The functions under their labels."""
    return "\n\n".join(f"# {scope.label}\n{scope.source}" for scope in batch)
