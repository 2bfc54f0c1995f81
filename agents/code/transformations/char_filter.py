"""Drop or replace characters of a text with `str.translate`.

    "".join(c for c in s if c not in ",.;")     →   s.translate(_F_TABLE)
    "".join(TABLE.get(c, c) for c in s)         →   s.translate(str.maketrans(TABLE))

The first with a table made once, `_F_TABLE = str.maketrans("", "", ",.;")`. For texts that are known to be text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import functions
from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.origins import is_constant_global
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import assigned, method, same
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule, conditions

__all__ = ["CHAR_FILTER"]


def find(module: ParsedModule) -> Iterator[Rewrite]:
    inside = {node for function in functions(module) for node in ast.walk(function)}
    for node in module.nodes:
        glue = method(node, "join", arguments=1)
        if (
            node not in inside
            or not isinstance(node, ast.Call)
            or not isinstance(glue, ast.Constant)
            or glue.value != ""
        ):
            continue
        inner = node.args[0]
        if (
            isinstance(inner, ast.GeneratorExp | ast.ListComp)
            and len(inner.generators) == 1
            and not inner.generators[0].is_async
        ):
            yield from _dropped(module, node, inner)


def _dropped(module: ParsedModule, call: ast.Call, inner: ast.GeneratorExp | ast.ListComp) -> Iterator[Rewrite]:
    clause = inner.generators[0]
    text, kind = clause.iter, kind_of(module, clause.iter)
    if (
        not isinstance(clause.target, ast.Name)
        or kind is None
        or kind.name != "str"
        or "str" in module.names.top.bindings
    ):
        return
    draft = Draft(module)
    function = module.function(call)
    name = function.name.strip("_").upper() if function else "CHARACTER"
    note = "" if kind.sure else "annotations are true"
    if not clause.ifs and _maps(module, inner.elt, clause.target):
        assert isinstance(inner.elt, ast.Call)
        assert isinstance(inner.elt.func, ast.Attribute)
        table = inner.elt.func.value
        assert isinstance(table, ast.Name)
        statement = next(
            (each for each in module.tree.body if (found := assigned(each)) and found[0].id == table.id), None
        )
        if statement is None:
            return
        fresh = draft.fresh(f"_{table.id.strip('_').upper()}_TABLE")
        draft.top(f"{fresh} = str.maketrans({table.id})", after=statement)
        draft.replace(call, f"{module.atom(text)}.translate({fresh})")
        note = conditions(note, f"no other module changes `{table.id}`")
        yield from draft.rewrite(call, "translate the characters at once", note)
        return
    if not same(inner.elt, clause.target) or len(clause.ifs) != 1 or not isinstance(test := clause.ifs[0], ast.Compare):
        return
    if len(test.ops) != 1 or not isinstance(test.ops[0], ast.NotIn) or not same(test.left, clause.target):
        return
    unwanted = _characters(module, test.comparators[0])
    if unwanted is None:
        return
    fresh = draft.fresh(f"_{name}_TABLE")
    written, place, needs = unwanted
    draft.top(f'{fresh} = str.maketrans("", "", {written})', after=place, needs=needs)
    draft.replace(call, f"{module.atom(text)}.translate({fresh})")
    yield from draft.rewrite(call, "drop the characters at once", note)


def _characters(module: ParsedModule, node: ast.expr) -> tuple[str, ast.stmt | None, str] | None:
    """A constant text as written, the statement it must stand behind, and the module it needs."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (module.segment(node), None, "") if node.lineno == node.end_lineno else None
    if (dotted(module, node) or "").startswith("string."):
        return module.segment(node), None, module.segment(node).split(".")[0]
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        texts = [each.value for each in node.elts if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if len(texts) == len(node.elts) and all(len(each) == 1 for each in texts):
            return repr("".join(texts)), None, ""
    if (
        isinstance(node, ast.Name)
        and module.names.home(node) is module.names.top
        and is_constant_global(module, node.id)
    ):
        statement = next(
            (each for each in module.tree.body if (found := assigned(each)) and found[0].id == node.id), None
        )
        found = assigned(statement)
        kind = kind_of(module, found[1]) if found else None
        if kind and kind.name == "str" and kind.sure:
            return node.id, statement, ""
    return None


def _maps(module: ParsedModule, element: ast.expr, target: ast.Name) -> bool:
    """Whether an element is `TABLE.get(c, c)` for a constant dict of single characters to text."""
    table = method(element, "get", arguments=2)
    if (
        not isinstance(table, ast.Name)
        or not isinstance(element, ast.Call)
        or not all(same(each, target) for each in element.args)
    ):
        return False
    if module.names.home(table) is not module.names.top or not is_constant_global(module, table.id):
        return False
    found = next((found for each in module.tree.body if (found := assigned(each)) and found[0].id == table.id), None)
    if found is None or not isinstance(found[1], ast.Dict):
        return False
    keys = [key.value for key in found[1].keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    values = [value for value in found[1].values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
    return len(keys) == len(values) == len(found[1].keys) > 0 and all(len(key) == 1 for key in keys)


CHAR_FILTER = Rule("char_filter", "`translate` goes over the characters in C", find)
