"""Remember what a pure function makes of a text, and hand out a copy each time.

    def tokenize(text: str) -> list[str]:         @functools.lru_cache(maxsize=1024)
        return re.findall(r"\\w+", text)      →   def _tokenize_once(text: str) -> list[str]: …

                                                  def tokenize(text: str) -> list[str]:
                                                      return list(_tokenize_once(text))

Like `cache_pure`, for functions that return a new list, set or dict of things that cannot change. The copy keeps the
callers apart.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agents.code.transformations.analysis.evidence import arguments_hashable, plain_arguments, reads_note, self_calls
from agents.code.transformations.analysis.flow import functions, own_nodes
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import Kind, annotated, is_immutable
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.purity import purity
from agents.code.transformations.cache_pure import repeated
from agents.code.transformations.drafts import Draft
from agents.code.transformations.rules import Rewrite, Rule, conditions

__all__ = ["CACHED_LIST"]

SIZE = 1024


def find(module: ParsedModule) -> Iterator[Rewrite]:
    for function in functions(module):
        if (
            not isinstance(function, ast.FunctionDef)
            or function.decorator_list
            or module.parent(function) is not module.tree
        ):
            continue
        arguments = plain_arguments(function)
        if arguments is None or function.args.kwonlyargs or function.args.posonlyargs or self_calls(module, function):
            continue
        if len(module.names.top.bindings[function.name]) != 1 or module.names.star_import:
            continue
        note = arguments_hashable(module, function)
        kind = _result(module, function)
        if note is None or kind is None or not repeated(module, function) or not purity(module).function(function):
            continue
        if module.names.top.bindings.get(kind.name):
            continue
        yield from _split(module, function, kind, conditions(note, reads_note(module, function)))


def _result(module: ParsedModule, function: ast.FunctionDef) -> Kind | None:
    """The kind of container every `return` gives, when its items cannot change."""
    returned = [each.value for each in own_nodes(function) if isinstance(each, ast.Return)]
    kinds = [kind_of(module, value) for value in returned]
    told = annotated(function.returns)
    if (
        not kinds
        or isinstance(function.body[-1], ast.If | ast.For | ast.While | ast.Try)
        or not isinstance(function.body[-1], ast.Return)
    ):
        return None
    first = told or kinds[0]
    if (
        first is None
        or first.name not in ("list", "set", "dict")
        or any(kind is None or kind.name != first.name for kind in kinds)
    ):
        return None
    known = next((kind for kind in [told, *kinds] if kind and kind.item), None)
    if known is None or not is_immutable(known.item) or (known.name == "dict" and not is_immutable(known.value)):
        return None
    return known


def _split(module: ParsedModule, function: ast.FunctionDef, kind: Kind, note: str) -> Iterator[Rewrite]:
    draft = Draft(module)
    inner = draft.fresh(f"_{function.name.strip('_')}_once")
    head = module.text[slice(*module.span(function))]
    start = module.span(function)[0]
    at = head.index(function.name, len("def"))
    body = module.span(function.body[0])[0] - start
    signature = head[:body].rstrip()
    if not head.startswith("def ") or not signature.endswith(":") or "#" in signature:
        return
    draft.replace_text(start + at, start + at + len(function.name), inner)
    decorator = draft.imported("functools", "lru_cache", at=function)
    typed = (
        ""
        if all((told := annotated(each.annotation)) and told.name == "str" for each in function.args.args)
        else ", typed=True"
    )
    draft.before(function, f"@{decorator}(maxsize={SIZE}{typed})")
    given = ", ".join(each.arg for each in function.args.args)
    doc = ast.get_docstring(function, clean=False)
    if doc is not None and "\n" in doc and function.col_offset == 0 and function.body[0].col_offset != 4:
        return  # its lines would not stand where they stood
    lines = ["", "", signature]
    if doc is not None and isinstance(first := function.body[0], ast.Expr):
        lines.append(f"    {module.segment(first)}")
    draft.after(function, *lines, f"    return {kind.name}({inner}({given}))")
    yield from draft.rewrite(function, f"cache what `{function.name}` makes, and hand out copies", note)


CACHED_LIST = Rule(
    "cached_list", "a text is taken apart once, however many functions ask for it; a copy is cheap", find
)
