"""Compile the literal pattern of a regular expression once, at the level of the module.

    def words(s): return re.findall(r"\\w+", s)   →   _WORDS_PATTERN = re.compile(r"\\w+")
                                                      def words(s): return _WORDS_PATTERN.findall(s)

`re` keeps compiled patterns, but a call still pays for the look-up in its cache.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator

from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule

__all__ = ["PRECOMPILE_REGEX"]

_FLAGS_AT = {"match": 2, "search": 2, "fullmatch": 2, "findall": 2, "finditer": 2, "sub": 4, "subn": 4, "split": 3}
_FLAGS = frozenset(
    ["A", "ASCII", "I", "IGNORECASE", "M", "MULTILINE", "S", "DOTALL", "X", "VERBOSE", "U", "UNICODE"]
)  # fmt: skip


def find(module: ParsedModule) -> Iterator[Rewrite]:
    groups: dict[tuple[str, ast.AST], list[tuple[ast.Call, str, ast.expr | None]]] = defaultdict(list)
    for node in module.nodes:
        if not isinstance(node, ast.Call) or (function := module.function(node)) is None:
            continue
        if module.scope(node).owner.node is not function:
            continue  # a default argument
        name = dotted(module, node.func) or ""
        kind = name.removeprefix("re.")
        if name.startswith("re.") and (kind in _FLAGS_AT or kind == "compile") and _is_plain(module, node):
            flags = _flags(module, node, 1 if kind == "compile" else _FLAGS_AT[kind])
            if flags is not False and _compiles(node.args[0]):
                key = ast.dump(node.args[0]) + (ast.dump(flags) if isinstance(flags, ast.expr) else "")
                groups[key, function].append((node, kind, flags if isinstance(flags, ast.expr) else None))
    for (_, owner), calls in groups.items():
        assert isinstance(owner, ast.FunctionDef | ast.AsyncFunctionDef)
        draft = Draft(module)
        pattern, flags = calls[0][0].args[0], calls[0][2]
        existing = _existing(module, pattern, flags)
        constant = existing or draft.fresh(f"_{owner.name.strip('_').upper()}_PATTERN")
        for call, kind, its_flags in calls:
            if kind == "compile":
                draft.replace(call, constant)
                continue
            left = [each for each in call.args[1:] if each is not its_flags]
            given = [module.segment(each) for each in left]
            given += [f"{k.arg}={module.segment(k.value)}" for k in call.keywords if k.value is not its_flags]
            draft.replace(call, f"{constant}.{kind}({', '.join(given)})")
        if not existing:
            compile_ = draft.imported("re", "compile", at=calls[0][0])
            written = ", ".join([module.segment(pattern), *([module.segment(flags)] if flags else [])])
            draft.top(f"{constant} = {compile_}({written})", needs=compile_.split(".")[0])
        yield from draft.rewrite(calls[0][0], f"compile {_short(pattern)} once for `{owner.name}`")


def _is_plain(module: ParsedModule, call: ast.Call) -> bool:
    if (
        not call.args
        or any(isinstance(each, ast.Starred) for each in call.args)
        or any(k.arg is None for k in call.keywords)
    ):
        return False
    start, end = module.span(call)
    return not any(start <= at < end for at, _ in module.comments)


def _flags(module: ParsedModule, call: ast.Call, at: int) -> ast.expr | bool | None:
    """The flags of a call; False when they are not plain names of flags."""
    found = [k.value for k in call.keywords if k.arg == "flags"] + call.args[at : at + 1]
    if not found:
        return None
    for each in ast.walk(found[0]):
        if isinstance(each, ast.Attribute):
            if (dotted(module, each) or "").removeprefix("re.") not in _FLAGS:
                return False
        elif not isinstance(each, ast.Name | ast.BinOp | ast.BitOr | ast.Load) or (
            isinstance(each, ast.Name) and dotted(module, each) != "re"
        ):
            return False
    return found[0]


def _compiles(pattern: ast.expr) -> bool:
    """Whether a literal pattern is right, so that compiling it early raises and warns of nothing."""
    if not isinstance(pattern, ast.Constant) or not isinstance(pattern.value, str | bytes):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern.value)
    except (re.error, Warning, RecursionError, OverflowError, ValueError):
        return False
    return b"(?L" not in pattern.value if isinstance(pattern.value, bytes) else True


def _existing(module: ParsedModule, pattern: ast.expr, flags: ast.expr | None) -> str | None:
    """A constant of the module that already is this pattern."""
    for name, bound in module.names.top.bindings.items():
        by = bound[0].by
        if len(bound) == 1 and isinstance(by, ast.Assign) and isinstance(by.value, ast.Call):
            call = by.value
            given = [pattern, *([flags] if flags else [])]
            fits = [ast.dump(each) for each in call.args] == [ast.dump(each) for each in given] and not call.keywords
            if fits and dotted(module, call.func) == "re.compile" and module.parent(by) is module.tree:
                return name
    return None


def _short(pattern: ast.expr) -> str:
    text = ast.unparse(pattern)
    return text if len(text) < 40 else text[:36] + "…"


PRECOMPILE_REGEX = Rule("precompile_regex", "a literal pattern is compiled once, not looked up at every call", find)
