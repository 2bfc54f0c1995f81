"""Remember the results of a pure function that is called again and again.

    def score(word: str) -> int:                 @functools.lru_cache(maxsize=4096)
        return sum(ord(c) for c in word)    →    def score(word: str) -> int: …

Offered for functions of the module level that do some work (a loop, a call), are called in a loop or from several
places, take arguments that can be hashed and return what cannot change.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import partial

from agents.code.transformations.analysis.evidence import (
    arguments_hashable,
    calls_of,
    plain_arguments,
    reads_note,
    result_immutable,
    self_calls,
)
from agents.code.transformations.analysis.flow import functions, holds_any
from agents.code.transformations.analysis.kinds import annotated
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.purity import purity
from agents.code.transformations.analysis.shapes import rings
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule, conditions

__all__ = ["CACHE_PURE", "cache_pure_in", "cached", "repeated"]

SIZE = 4096
_WORK = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def cached(draft: Draft, function: ast.FunctionDef, size: int | None) -> None:
    """Write the decorator; `typed` keeps 1, 1.0 and True apart, which text alone does not need."""
    decorator = draft.imported("functools", "lru_cache", at=function)
    kinds = [annotated(each.annotation) for each in plain_arguments(function) or ()]
    typed = "" if all(kind is not None and kind.name == "str" for kind in kinds) else ", typed=True"
    draft.before(function, f"@{decorator}(maxsize={size}{typed})")


def repeated(module: ParsedModule, function: ast.FunctionDef) -> bool:
    """Whether the module itself calls the function more than once."""
    calls = calls_of(module, function)
    return len(calls) > 1 or any(any(True for _ in rings(module, call)) for call in calls)


def find(module: ParsedModule, often: frozenset[str] = frozenset()) -> Iterator[Rewrite]:
    for function in functions(module):
        if (
            not isinstance(function, ast.FunctionDef)
            or function.decorator_list
            or module.parent(function) is not module.tree
        ):
            continue
        if len(module.names.top.bindings[function.name]) != 1 or self_calls(module, function):
            continue
        if not holds_any(function, *_WORK) and not _calls_work(module, function):
            continue
        note = arguments_hashable(module, function)
        if note is None or not (function.name in often or repeated(module, function)):
            continue
        if not purity(module).function(function) or not result_immutable(module, function):
            continue
        note = conditions(note, reads_note(module, function))
        draft = Draft(module)
        cached(draft, function, SIZE)
        yield from draft.rewrite(function, f"cache the results of `{function.name}`", note)


def _calls_work(module: ParsedModule, function: ast.FunctionDef) -> bool:
    """Whether it calls something that is likely to cost more than a look-up: a regex, a parser, two functions."""
    calls = [each for each in ast.walk(function) if isinstance(each, ast.Call)]
    return len(calls) > 2


CLAIM = "a pure function is run once for each different argument, not at every call"
CACHE_PURE = Rule("cache_pure", CLAIM, find)


def cache_pure_in(often: Iterable[str]) -> Rule:
    """The rule where it is known from elsewhere, such as telemetry, that functions are called again and again."""
    return Rule("cache_pure", CLAIM, partial(find, often=frozenset(often)))
