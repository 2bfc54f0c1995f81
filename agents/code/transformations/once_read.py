"""Read a file with a fixed name once.

    def stopwords():                                     @functools.lru_cache(maxsize=1)
        with open("stop.txt") as f:              →       def _stopwords_once(): …
            return f.read().split()
                                                         def stopwords():
                                                             return copy.deepcopy(_stopwords_once())

For functions without arguments that do nothing but read files with constant names and work on what is in them. Callers
get copies; text and numbers are handed out as they are.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.flow import functions, own_nodes
from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import STR_RESULTS, annotated, is_immutable
from agents.code.transformations.analysis.library import PURE_FUNCTIONS
from agents.code.transformations.analysis.origins import is_constant_global
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.cache_pure import repeated
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule

__all__ = ["ONCE_READ"]

_READERS = frozenset(
    {"json.load", "json.loads", "pathlib.Path", "csv.reader", "csv.DictReader", "tomllib.load", "tomllib.loads"}
)
_METHODS = frozenset(
    [*STR_RESULTS, "read", "readlines", "readline", "read_text", "read_bytes", "decode", "append", "add", "get",
    "items", "keys",
     "values", "extend", "update", "setdefault", "open"]
)  # fmt: skip
_BUILTINS = (
    "len",
    "set",
    "list",
    "tuple",
    "dict",
    "sorted",
    "int",
    "float",
    "str",
    "frozenset",
    "enumerate",
    "zip",
    "sum",
    "min",
    "max",
)
_STATEMENTS = (
    ast.With,
    ast.Return,
    ast.Assign,
    ast.AnnAssign,
    ast.For,
    ast.If,
    ast.Expr,
    ast.Continue,
    ast.AugAssign,
    ast.Pass,
)


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for function in functions(module):
        if (
            not isinstance(function, ast.FunctionDef)
            or function.decorator_list
            or module.parent(function) is not module.tree
        ):
            continue
        arguments = function.args
        if arguments.args or arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs:
            continue
        if len(module.names.top.bindings[function.name]) != 1 or not repeated(module, function):
            continue
        if not _only_reads(module, function) or not isinstance(function.body[-1], ast.With | ast.Return):
            continue
        yield from _split(module, function)


def _only_reads(module: ParsedModule, function: ast.FunctionDef) -> bool:
    scope = module.names.own[function]
    opened = False
    for each in own_nodes(function):
        if isinstance(each, ast.stmt) and each is not function and not isinstance(each, _STATEMENTS):
            return False
        home = module.names.home(each) if isinstance(each, ast.Name) else None
        outside = isinstance(each, ast.Name) and home is not None and home.owner is not scope
        if isinstance(each, ast.Name) and outside and not is_constant_global(module, each.id):
            return False
        if isinstance(each, ast.Call):
            reads = _reads(module, each)
            if reads is None:
                return False
            opened |= reads
        if (
            isinstance(each, ast.Attribute | ast.Subscript)
            and not isinstance(each.ctx, ast.Load)
            and isinstance(each, ast.Attribute)
        ):
            return False
        if isinstance(each, ast.Yield | ast.YieldFrom | ast.Await | ast.Lambda | ast.NamedExpr):
            return False
    return opened and not scope.declared_global


def _reads(module: ParsedModule, call: ast.Call) -> bool | None:
    """Whether a call opens a constant file; None when it may do something else than read."""
    constant = bool(call.args) and all(
        isinstance(each, ast.Constant) or (isinstance(each, ast.Name) and module.names.home(each) is module.names.top)
        for each in call.args
    )
    if module.names.is_builtin(call.func, "open"):
        modes = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "mode")]
        reading = all(isinstance(mode, ast.Constant) and set(str(mode.value)) <= set("rbt") for mode in modes)
        return True if constant and reading else None
    name = dotted(module, call.func)
    if name in _READERS:
        return name == "pathlib.Path" and constant
    if module.names.is_builtin(call.func, *_BUILTINS) or name in PURE_FUNCTIONS:
        return False
    return False if isinstance(call.func, ast.Attribute) and call.func.attr in _METHODS and name is None else None


def _split(module: ParsedModule, function: ast.FunctionDef) -> Iterator[Rewrite]:
    draft = Draft(module)
    returned = [each.value for each in own_nodes(function) if isinstance(each, ast.Return) and each.value]
    cache = draft.imported("functools", "lru_cache", at=function)
    note = "the file stays the same while the program runs"
    if returned and all(is_immutable(kind_of(module, each)) for each in returned):
        draft.before(function, f"@{cache}(maxsize=1)")
        yield from draft.rewrite(function, f"read the file of `{function.name}` once", note)
        return
    inner = draft.fresh(f"_{function.name.strip('_')}_once")
    start = module.span(function)[0]
    head = module.segment(function)
    body = module.span(function.body[0])[0] - start
    signature = head[:body].rstrip()
    if not head.startswith("def ") or not signature.endswith(":") or "#" in signature:
        return
    at = start + head.index(function.name, len("def"))
    draft.replace_text(at, at + len(function.name), inner)
    draft.before(function, f"@{cache}(maxsize=1)")
    told = annotated(function.returns)
    flat = [told] if told is not None else [kind_of(module, each) for each in returned]
    names = {kind.name for kind in flat if kind and kind.name in ("list", "set", "dict") and is_immutable(kind.item)}
    simple = len(names) == 1 and len(flat) == 1 and names != {"dict"}
    copied = f"{names.pop()}({inner}())" if simple else f"{draft.imported('copy', 'deepcopy', at=function)}({inner}())"
    draft.after(function, "", "", signature, f"    return {copied}")
    yield from draft.rewrite(function, f"read the file of `{function.name}` once", note)


ONCE_READ = Rule("once_read", "a file is read and parsed once, not at every call", find)
