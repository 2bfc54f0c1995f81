"""Use a method of text where a pattern has nothing of a regular expression.

    re.sub("abc", "x", s)       →   s.replace("abc", "x")
    if re.search("abc", s):     →   if "abc" in s:
    if re.match("abc", s):      →   if s.startswith("abc"):
    re.split(",", s)            →   s.split(",")

Only for texts that are known to be text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import functions
from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule

__all__ = ["LITERAL_REGEX"]

_SPECIAL = re.compile(r"[\\.^$*+?{}\[\]|()]")


def find(module: ParsedModule) -> Iterator[Rewrite]:
    inside = {node for function in functions(module) for node in ast.walk(function)}
    for node in module.nodes:
        if node not in inside or not isinstance(node, ast.Call) or node.keywords or not node.args:
            continue
        name = (dotted(module, node.func) or "").removeprefix("re.")
        pattern = node.args[0]
        if name not in ("sub", "search", "match", "split") or not isinstance(pattern, ast.Constant):
            continue
        if not isinstance(pattern.value, str) or not pattern.value or _SPECIAL.search(pattern.value):
            continue
        if len(node.args) != (3 if name == "sub" else 2) or any(isinstance(each, ast.Starred) for each in node.args):
            continue
        text = node.args[-1]
        kind = kind_of(module, text)
        if kind is None or kind.name != "str":
            continue
        written = _written(module, node, name, module.segment(pattern), text)
        if written is None:
            continue
        draft = Draft(module)
        draft.replace(node, written)
        yield from draft.rewrite(node, f"`re.{name}` of a plain text", "" if kind.sure else "annotations are true")


def _written(module: ParsedModule, call: ast.Call, name: str, pattern: str, text: ast.expr) -> str | None:
    if name == "sub":
        new = call.args[1]
        if not isinstance(new, ast.Constant) or not isinstance(new.value, str) or "\\" in new.value:
            return None
        return f"{module.atom(text)}.replace({pattern}, {module.segment(new)})"
    if name == "split":
        return f"{module.atom(text)}.split({pattern})"
    above = module.parent(call)
    tested = isinstance(above, ast.If | ast.While | ast.IfExp) and above.test is call
    tested |= isinstance(above, ast.UnaryOp) and isinstance(above.op, ast.Not)
    tested |= isinstance(above, ast.comprehension) and call in above.ifs
    tested |= isinstance(above, ast.Call) and module.names.is_builtin(above.func, "bool")
    if not tested:
        return None
    if name == "match":
        return f"{module.atom(text)}.startswith({pattern})"
    found = f"{pattern} in {module.atom(text)}"
    return f"({found})" if isinstance(above, ast.UnaryOp) else found


LITERAL_REGEX = Rule("literal_regex", "a method of text searches without the machinery of regular expressions", find)
