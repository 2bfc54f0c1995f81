"""The vocabulary of a campaign, from what it is and what has been measured."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from agents.code.population import OPERATORS, Population
from agents.code.transformations.registry import transformations
from agents.guidance.vocabulary import Vocabulary
from core.campaign import Campaign
from search.space import Space

__all__ = ["vocabulary_of"]

LOWER_IS_BETTER = ("loss", "error", "latency", "seconds", "time", "cost", "rmse", "mae", "mse", "memory", "perplexity")
"""Words in the name of a metric whose goal nobody has said."""


def vocabulary_of(
    campaign: Campaign, space: Space, measured: Iterable[str] = (), population: Population | None = None
) -> Vocabulary:
    """The names of the campaign; `measured` are metrics that its jobs have given."""
    goals = {one.metric: one.goal for one in (campaign.objective, *campaign.objectives)}
    if campaign.cost_metric:
        goals.setdefault(campaign.cost_metric, "minimize")
    if campaign.early_stop is not None:
        goals.setdefault(campaign.early_stop.metric, campaign.early_stop.goal)
    for name in (*campaign.metrics, *campaign.patterns, *measured):
        lower = any(word in name.lower() for word in LOWER_IS_BETTER)
        goals.setdefault(name, "minimize" if lower else "maximize")
    if population is None:
        return Vocabulary(space=space, metrics=goals)
    files = {path: text for path, text in population.base.items() if population.allowed(path)}
    return Vocabulary(
        metrics=goals,
        files=tuple(files),
        functions=tuple(dict.fromkeys(_functions(files))),
        operators=(*transformations(), *OPERATORS),
    )


def _functions(files: Mapping[str, str]) -> Iterator[str]:
    for path, text in files.items():
        if path.endswith(".py"):
            yield from _functions_of(text)


@lru_cache(maxsize=256)
def _functions_of(text: str) -> tuple[str, ...]:
    """The functions, methods and classes of a file by their qualified names."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(_names(tree.body, ""))


def _names(body: Iterable[ast.stmt], outer: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield f"{outer}{node.name}"
            if isinstance(node, ast.ClassDef):
                yield from _names(node.body, f"{outer}{node.name}.")
