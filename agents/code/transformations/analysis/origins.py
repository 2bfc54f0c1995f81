"""Where a value comes from: made here and now, a constant of the module, a function of the module."""

from __future__ import annotations

import ast

from agents.code.transformations.analysis.imports import dotted
from agents.code.transformations.analysis.inference import kind_of
from agents.code.transformations.analysis.kinds import is_immutable
from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.uses import use_of

__all__ = ["called_function", "is_constant_global", "is_fresh"]


def called_function(module: ParsedModule, call: ast.Call) -> ast.FunctionDef | None:
    """The function of this module that a call by plain name runs, if its name has that one meaning."""
    if not isinstance(call.func, ast.Name):
        return None
    bound = module.names.bindings(call.func)
    if len(bound) == 1 and isinstance(bound[0].node, ast.FunctionDef):
        return bound[0].node
    return None


def is_fresh(module: ParsedModule, value: ast.expr) -> bool:
    """Whether an expression makes a new object that nobody else holds."""
    if isinstance(
        value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp | ast.JoinedStr | ast.Constant
    ):
        return True
    if isinstance(value, ast.Call):
        if module.names.is_builtin(value.func, "list", "dict", "set", "sorted", "bytearray"):
            return True
        if dotted(module, value.func) in (
            "collections.Counter",
            "collections.defaultdict",
            "collections.deque",
            "re.findall",
        ):
            return True
        kind = kind_of(module, value.func.value) if isinstance(value.func, ast.Attribute) else None
        return kind is not None and kind.name == "str"
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult):
        return isinstance(value.left, ast.List) or isinstance(value.right, ast.List)
    return False


def is_constant_global(module: ParsedModule, name: str) -> bool:
    """Whether a module-level name is bound once, and what it stands for is never changed in this module."""
    key = ("constant", name)
    if key not in module.memory:
        module.memory[key] = False  # while looking, a name that is defined by itself is not constant
        module.memory[key] = _constant(module, name)
    return bool(module.memory[key])


def _constant(module: ParsedModule, name: str) -> bool:
    top = module.names.top
    bound = top.bindings.get(name, [])
    if len(bound) != 1 or module.names.star_import:
        return False
    binding = bound[0]
    if isinstance(binding.node, ast.alias | ast.FunctionDef | ast.ClassDef):
        return True
    value = binding.by.value if isinstance(binding.by, ast.Assign | ast.AnnAssign) else None
    if value is None or binding.scope is not top or module.parent(binding.by) is not module.tree:
        return False
    if is_immutable(kind_of(module, value)):
        return True
    loads = [each for each in module.names.references(top, name) if isinstance(each.ctx, ast.Load)]
    return is_fresh(module, value) and all(use_of(module, each) == "read" for each in loads)
