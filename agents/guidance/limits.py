"""Limits of guidance: what they leave of a space, and what is against them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf, nextafter
from typing import Any

from core.guidance import Guidance, Meaning
from core.records import Proposal
from search.box import Box
from search.constraints import Condition, Region
from search.space import Space

__all__ = ["InForce", "box_of", "is_against", "regions_of"]


@dataclass(frozen=True)
class InForce:
    """A meaning that is followed, and the guidance that it is of."""

    guidance: Guidance
    meaning: Meaning

    @property
    def id(self) -> str:
        return self.guidance.id

    def __str__(self) -> str:
        return f"{self.id}: {self.meaning}"


def box_of(space: Space, held: Iterable[InForce]) -> Box:
    """What the limits on parameters leave of the space."""
    bounds: dict[str, tuple[float | None, float | None]] = {}
    excluded: dict[str, tuple[Any, ...]] = {}
    for x in held:
        m = x.meaning
        if not m.hard or m.target != "parameter" or m.name not in space:
            continue
        if m.kind == "bound":
            low, high = bounds.get(m.name, (None, None))
            bounds[m.name] = _tighter(low, m.low, max), _tighter(high, m.high, min)
        elif m.options:
            excluded[m.name] = (*excluded.get(m.name, ()), *m.options)
    return Box(space, bounds, excluded)


def _tighter(one: float | None, other: float | None, of: Any) -> float | None:
    return other if one is None else one if other is None else of(one, other)


def regions_of(x: InForce) -> list[Region]:
    """A limit on a parameter as the regions that it forbids."""
    m = x.meaning
    if not m.hard or m.target != "parameter":
        return []

    def region(**condition: Any) -> Region:
        return Region(conditions={m.name: Condition(**condition)}, reason=str(x), evidence=(x.id,))

    if m.kind == "exclusion":
        return [region(options=m.options)] if m.options else [region(low=m.low, high=m.high)]

    below = [] if m.low is None else [region(high=nextafter(m.low, -inf))]
    return below if m.high is None else [*below, region(low=nextafter(m.high, inf))]


def is_against(m: Meaning, proposal: Proposal, changed: Mapping[str, str | None], base: Mapping[str, str]) -> bool:
    """Whether a candidate of code does what an exclusion does not allow."""
    if m.target == "operator":
        return proposal.operator == m.name or any(part.startswith(f"{m.name}@") for part in proposal.parts)
    if m.target == "file":
        return m.name in changed
    return any(_function(text or "", m.name) != _function(base.get(path, ""), m.name) for path, text in changed.items())


@lru_cache(maxsize=1024)
def _function(text: str, name: str) -> str:
    """The syntax of a function or method by its qualified name; empty where there is none, or nothing parses."""
    try:
        body: Sequence[ast.stmt] = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    *outer, last = name.split(".")
    for word in outer:
        found = next((n for n in body if isinstance(n, ast.ClassDef | ast.FunctionDef) and n.name == word), None)
        if found is None:
            return ""
        body = found.body
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return next((ast.dump(n) for n in body if isinstance(n, kinds) and n.name == last), "")
