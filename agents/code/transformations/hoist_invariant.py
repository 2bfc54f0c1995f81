"""Evaluate once, before the loop, what is the same in every round.

    for w in words:                            text_lower = text.lower()
        if w in text.lower(): …        →       for w in words:
                                                   if w in text_lower: …

Calls only: `len`, `sorted`, `set`, …, methods of text, functions of `math`, pure functions of the module, whose
arguments do not change in the loop. What can change itself is moved only when the loop just reads it.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from agents.code.transformations.analysis.evidence import gives_iterator
from agents.code.transformations.analysis.flow import leaves_guard, reaches
from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import CONTAINERS, STR_RESULTS, Kind, is_immutable
from agents.code.transformations.analysis.origins import called_function
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import hoistable
from agents.code.transformations.analysis.uses import use_of_value
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule, conditions

__all__ = ["HOIST_INVARIANT"]

_BUILDERS = ("sorted", "set", "frozenset", "list", "tuple", "dict", "sum", "min", "max")
_MAY_FAIL = "it does not fail when the loop never reaches it"
_NEVER_FAIL = frozenset(STR_RESULTS) - {"index", "rindex", "format", "encode", "translate", "join", "split", "rsplit"}


def find(module: ParsedModule) -> Iterator[Rewrite]:
    groups: dict[tuple[ast.stmt, str], list[ast.Call]] = defaultdict(list)
    notes: dict[tuple[ast.stmt, str], str] = {}
    taken: set[ast.AST] = set()
    for node in module.nodes:
        if not isinstance(node, ast.Call) or node in taken or module.function(node) is None:
            continue
        risk = _risk(module, node)
        if risk is None or any(isinstance(each, ast.JoinedStr) for each in module.ancestors(node)):
            continue
        if not is_immutable(kind_of(module, node)) and use_of_value(module, node) != "read":
            continue
        if (found := hoistable(module, node)) is None:
            continue
        statement, stability = found
        if _MAY_FAIL in risk and leaves_guard(module, node, statement):
            continue
        if _looks_inside(module, node) and reaches(module, statement):
            continue
        key = (statement, ast.dump(node))
        groups[key].append(node)
        notes[key] = conditions(stability.assumes, risk)
        taken.update(ast.walk(node))
    for key, calls in groups.items():
        draft = Draft(module)
        name = draft.fresh(_base(calls[0]))
        draft.before(key[0], f"{name} = {module.atom(calls[0])}")
        for call in calls:
            draft.replace(call, name)
        yield from draft.rewrite(calls[0], f"evaluate `{_short(module, calls[0])}` before the loop", notes[key])


def _risk(module: ParsedModule, call: ast.Call) -> str | None:
    """Under what condition the call may run although the loop would not have run it; None when it is not for us."""
    func = call.func
    if any(isinstance(each, ast.Starred | ast.GeneratorExp | ast.NamedExpr) for each in ast.walk(call)):
        return None
    if any(k.arg is None for k in call.keywords) or not _speaks_of_a_variable(module, call):
        return None
    if module.names.is_builtin(func, "len") and len(call.args) == 1:
        kind = kind_of(module, call.args[0])
        return _told(kind) if kind and kind.name in CONTAINERS | {"str", "bytes", "range"} else _MAY_FAIL
    if module.names.is_builtin(func, *_BUILDERS) and call.args:
        kind = kind_of(module, call.args[0])
        return _MAY_FAIL if kind and kind.name in CONTAINERS | {"str"} else None
    if (name := dotted(module, func)) and (name.startswith("math.") or name == "collections.Counter") and call.args:
        return _MAY_FAIL
    if isinstance(func, ast.Attribute):
        kind = kind_of(module, func.value)
        if kind is None or kind.name != "str" or isinstance(func.value, ast.Constant):
            return None
        given = [kind_of(module, each) for each in call.args]
        safe = func.attr in _NEVER_FAIL and all(each and each.name == "str" for each in given) and not call.keywords
        return _told(kind) if safe or (func.attr == "split" and not call.args) else _MAY_FAIL
    function = called_function(module, call)
    return _MAY_FAIL if function is not None and call.args and not gives_iterator(module, call) else None


def _looks_inside(module: ParsedModule, call: ast.Call) -> bool:
    """Whether the result speaks of items that may change themselves; their number does not."""
    if module.names.is_builtin(call.func, "len"):
        return False
    given = [kind_of(module, each) for each in call.args if isinstance(each, ast.Name)]
    return any(kind is None or (kind.name in CONTAINERS and not is_immutable(kind.item)) for kind in given)


def _speaks_of_a_variable(module: ParsedModule, call: ast.Call) -> bool:
    names = [each for each in ast.walk(call) if isinstance(each, ast.Name) and each is not call.func]
    return any(module.names.bindings(each) and dotted(module, each) is None for each in names)


def _told(kind: Kind) -> str:
    return "" if kind.sure else "annotations are true"


def _base(call: ast.Call) -> str:
    func = call.func
    first = call.args[0] if call.args else None
    word = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else "value"
    about = func.value if isinstance(func, ast.Attribute) else first
    if isinstance(about, ast.Name) and about.id not in ("math", "re", "collections"):
        return f"{about.id}_{word}"
    return f"{first.id}_{word}" if isinstance(first, ast.Name) else f"{word}_value"


def _short(module: ParsedModule, node: ast.AST) -> str:
    text = " ".join(module.segment(node).split())
    return text if len(text) < 50 else text[:46] + "…"


HOIST_INVARIANT = Rule("hoist_invariant", "what is the same in every round of a loop is computed once", find)
