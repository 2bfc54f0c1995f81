"""Call a pure function once where the same call stands several times.

    a = len(tokenize(text))               text_tokenize = tokenize(text)
    b = set(tokenize(text))        →      a = len(text_tokenize)
                                          b = set(text_tokenize)

    for w in words:                       for w in words:
        if w.lower() in stop or           →   w_lower = w.lower()
           w.lower() in names: …              if w_lower in stop or …

The first in the straight part of a function, for pure functions of the module whose result is only read. The second in
the body of a loop, for methods of text that cannot fail.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from agents.code.transformations.analysis.evidence import gives_iterator
from agents.code.transformations.analysis.flow import functions, loops, own_nodes, stable
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import is_immutable
from agents.code.transformations.analysis.origins import called_function
from agents.code.transformations.analysis.parsed import Function, ParsedModule
from agents.code.transformations.analysis.purity import purity
from agents.code.transformations.analysis.shapes import method, names_in
from agents.code.transformations.analysis.uses import use_of_value
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule

__all__ = ["COMMON_CALL"]

_SAFE = ("lower", "upper", "strip", "casefold", "lstrip", "rstrip", "title")


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for function in functions(module):
        yield from _in_function(module, function)
    for loop in loops(module):
        if isinstance(loop, ast.For) and isinstance(loop.target, ast.Name):
            yield from _in_loop(module, loop, loop.target)


def _in_function(module: ParsedModule, function: Function) -> Iterator[Rewrite]:
    groups: dict[str, list[ast.Call]] = defaultdict(list)
    for node in own_nodes(function):
        if isinstance(node, ast.Call) and called_function(module, node) and node.args and not node.keywords:
            plain = all(isinstance(each, ast.Name | ast.Constant) for each in node.args)
            if plain and module.scope(node).owner.node is function and not _in_text(module, node):
                groups[ast.dump(node)].append(node)
    for calls in groups.values():
        calls.sort(key=lambda each: (each.lineno, each.col_offset))
        first = module.statement(calls[0])
        if len(calls) < 2 or module.parent(first) is not function or not _is_evaluated(module, calls[0], first):
            continue
        found = stable(module, calls[0], function)
        arguments_stay = all(
            len(module.names.bindings(each)) == 1
            for call in calls[:1]
            for each in call.args
            if isinstance(each, ast.Name)
        )
        names = [each for each in calls[0].args if isinstance(each, ast.Name)]
        immutable = all(is_immutable(kind_of(module, each)) for each in names)
        if not arguments_stay or not immutable or not _is_pure_call(module, calls[0]):
            continue
        if gives_iterator(module, calls[0]) or not _comes_first(module, calls[0], first):
            continue
        if not is_immutable(kind_of(module, calls[0])) and not all(
            use_of_value(module, each) == "read" for each in calls
        ):
            continue
        note = found.assumes if found else "annotations are true"
        yield from _once(module, calls, first, note)


def _is_pure_call(module: ParsedModule, call: ast.Call) -> bool:
    return purity(module).expression(call)


def _is_evaluated(module: ParsedModule, call: ast.Call, statement: ast.stmt) -> bool:
    """Whether the first thing with an effect that a statement does may be the call: a plain assignment or return."""
    if not isinstance(statement, ast.Assign | ast.Return | ast.Expr | ast.AnnAssign | ast.For | ast.If):
        return False
    for each in module.ancestors(call):
        if each is statement:
            return not isinstance(statement, ast.For | ast.If) or call in set(
                ast.walk(statement.iter if isinstance(statement, ast.For) else statement.test)
            )
        if isinstance(
            each, ast.BoolOp | ast.IfExp | ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
        ):
            return False
    return False


def _comes_first(module: ParsedModule, call: ast.Call, statement: ast.stmt) -> bool:
    """Whether nothing with an effect is called in the statement before the call, which may fail."""
    start = module.span(call)[0]
    return all(
        purity(module).expression(each)
        for each in ast.walk(statement)
        if isinstance(each, ast.Call) and module.span(each)[1] <= start
    )


def _once(module: ParsedModule, calls: list[ast.Call], first: ast.stmt, note: str) -> Iterator[Rewrite]:
    draft = Draft(module)
    func, argument = calls[0].func, calls[0].args[0]
    assert isinstance(func, ast.Name)
    name = draft.fresh(f"{argument.id}_{func.id}" if isinstance(argument, ast.Name) else f"{func.id}_value")
    draft.before(first, f"{name} = {module.atom(calls[0])}")
    for call in calls:
        draft.replace(call, name)
    yield from draft.rewrite(calls[0], f"call `{module.segment(calls[0])}` once", note)


def _in_loop(module: ParsedModule, loop: ast.For, target: ast.Name) -> Iterator[Rewrite]:
    kind = kind_of(module, target)
    if kind is None or kind.name != "str":
        return
    inside = [each for part in loop.body for each in own_nodes(part)]
    if any(
        isinstance(each, ast.Name) and each.id == target.id and not isinstance(each.ctx, ast.Load) for each in inside
    ):
        return
    groups: dict[str, list[ast.Call]] = defaultdict(list)
    scope = module.scope(loop).owner
    for node in inside:
        owner = method(node, *_SAFE, arguments=0)
        if (
            (
                isinstance(node, ast.Call)
                and isinstance(owner, ast.Name)
                and owner.id == target.id
                and not _in_text(module, node)
            )
            and module.names.home(owner) is scope
            and len(module.names.bindings(owner)) >= 1
        ):
            groups[ast.dump(node)].append(node)
    for calls in groups.values():
        if len(calls) < 2 or target.id not in names_in(calls[0]):
            continue
        draft = Draft(module)
        assert isinstance(calls[0].func, ast.Attribute)
        name = draft.fresh(f"{target.id}_{calls[0].func.attr}")
        draft.before(loop.body[0], f"{name} = {module.atom(calls[0])}")
        for call in calls:
            draft.replace(call, name)
        yield from draft.rewrite(
            calls[0], f"evaluate `{module.segment(calls[0])}` once a round", "" if kind.sure else "annotations are true"
        )


def _in_text(module: ParsedModule, node: ast.AST) -> bool:
    return any(isinstance(each, ast.JoinedStr) for each in module.ancestors(node))


COMMON_CALL = Rule("common_call", "equal calls with equal arguments are made once", find)
