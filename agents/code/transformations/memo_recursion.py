"""Remember the results of a naive recursion that meets the same arguments many times.

    def fib(n):                                        @functools.lru_cache(maxsize=None, typed=True)
        return n if n < 2 else fib(n-1) + fib(n-2)  →  def fib(n): …

For pure functions that call themselves at two places or more (edit distance, knapsack, paths, …): exponential time
becomes the number of different arguments. Also for functions within functions, which read only what does not change.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.evidence import arguments_hashable, reads_note, result_immutable, self_calls
from agents.code.transformations.analysis.flow import functions
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.purity import purity
from agents.code.transformations.cache_pure import cached
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule, conditions

__all__ = ["MEMO_RECURSION"]

KEPT = "results are kept while the function lives; a cached call takes more of the recursion limit"


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for function in functions(module):
        if not isinstance(function, ast.FunctionDef) or function.decorator_list:
            continue
        scope = module.scope(function)
        if isinstance(scope.node, ast.ClassDef) or len(scope.bindings[function.name]) != 1:
            continue
        if len(self_calls(module, function)) < 2 or not _is_only_called(module, function):
            continue
        note = arguments_hashable(module, function)
        if note is None or not purity(module).function(function) or not result_immutable(module, function):
            continue
        draft = Draft(module)
        cached(draft, function, None)
        yield from draft.rewrite(
            function,
            f"cache the recursion of `{function.name}`",
            conditions(note, reads_note(module, function), KEPT),
        )


def _is_only_called(module: ParsedModule, function: ast.FunctionDef) -> bool:
    uses = module.names.references(module.scope(function), function.name)
    return all(isinstance(call := module.parent(each), ast.Call) and call.func is each for each in uses)


MEMO_RECURSION = Rule(
    "memo_recursion", "each sub-problem of a recursion is solved once instead of exponentially often", find
)
