"""Facts of Python source, read from its syntax tree: what a comment may claim. Nothing is executed or imported.

    source text ──parse──▶ ast ──▶ ModuleFacts { functions: FunctionFacts…, classes: ClassFacts… }

A fact is something that the syntax alone proves. What it cannot prove (which exceptions a callee raises, whether a
method of an unknown object writes a file) is left out, or carries `certain=False`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from agents.feedback import sources
from agents.feedback.body import BodyVisitor, FunctionNode, falls_through, parameters
from agents.feedback.fact_records import Attribute, ClassFacts, FunctionFacts, ModuleFacts, Todo, Unparsed
from agents.feedback.kinds import dotted

__all__ = ["function_facts", "module_facts"]

MAX_SIBLINGS = 40
"""So many neighbours in the same class or module are kept: all of them would grow with the square of the file."""

_TODO = re.compile(r"#.*?\b(TODO|FIXME|XXX|HACK)\b[:\s]*(.*)")
_NO_ANNOTATION_NEEDED = ("self", "cls")


def module_facts(code: str) -> ModuleFacts:
    """Facts of a whole file. Lines that do not parse are listed in `unparsed`; the rest is analysed all the same."""
    code = sources.plain_newlines(code)
    tree, broken = sources.parse(code)
    lines = code.split("\n")
    todos = _todos(lines, 1, len(lines))
    functions: list[FunctionFacts] = []
    classes: list[ClassFacts] = []
    for scope in _scopes(tree):
        node = scope.node
        try:
            if isinstance(node, ast.ClassDef):
                classes.append(_class_facts(node, scope.qualname))
            else:
                functions.append(_function_facts(scope, todos))
        except RecursionError:
            broken.append((node.lineno, node.end_lineno or node.lineno, f"{node.name} is nested too deeply"))
    return ModuleFacts(
        line_count=len(lines) - (1 if code.endswith("\n") else 0) if code else 0,
        docstring=ast.get_docstring(tree),
        imports=tuple(_imports(tree)),
        constants=tuple(_constants(tree)),
        functions=tuple(functions),
        classes=tuple(classes),
        todos=tuple(todos),
        exports=tuple(_exports(tree)),
        has_main=any(isinstance(node, ast.If) and "__main__" in ast.unparse(node.test) for node in tree.body),
        unparsed=tuple(Unparsed(line=first, end_line=last, reason=why) for first, last, why in broken),
    )


def function_facts(source: str) -> FunctionFacts | None:
    """Facts of the first function in `source` (it may be indented); None when none parses.

    Of a class its `__init__` stands for it, or its first method.
    """
    source = sources.plain_newlines(source)
    node = sources.parse_function(source)
    class_node: ast.ClassDef | None = None
    while isinstance(node, ast.ClassDef):
        class_node = node
        methods = [each for each in node.body if isinstance(each, FunctionNode | ast.ClassDef)]
        methods.sort(key=lambda each: each.name != "__init__")
        node = methods[0] if methods else None
    if node is None:
        return None
    lines = source.split("\n")
    todos = _todos(lines, node.lineno, node.end_lineno or len(lines))
    try:
        return _function_facts(_Scope(node, node.name, class_node, ()), todos)
    except RecursionError:
        return None


class _Scope:
    def __init__(
        self,
        node: FunctionNode | ast.ClassDef,
        qualname: str,
        owner: ast.ClassDef | FunctionNode | None,
        siblings: tuple[str, ...],
    ) -> None:
        self.node = node
        self.qualname = qualname
        self.owner = owner
        self.siblings = siblings


def _scopes(tree: ast.Module) -> Iterator[_Scope]:
    """Classes and functions of a file in order of lines, without recursion (files may nest deeply)."""
    todo: list[tuple[list[ast.stmt], str, ast.ClassDef | FunctionNode | None]] = [(tree.body, "", None)]
    found: list[_Scope] = []
    while todo:
        body, prefix, owner = todo.pop()
        nodes = list(_definitions(body))
        names = [node.name for node in nodes if isinstance(node, FunctionNode)]
        for index, node in enumerate(nodes):
            qualname = f"{prefix}{node.name}"
            near = names[max(0, index - MAX_SIBLINGS // 2) : index + MAX_SIBLINGS // 2 + 1]
            found.append(_Scope(node, qualname, owner, tuple(name for name in near if name != node.name)))
            inner = "." if isinstance(node, ast.ClassDef) else ".<locals>."
            todo.append((node.body, qualname + inner, node))
    return iter(sorted(found, key=lambda scope: scope.node.lineno))


def _definitions(body: list[ast.stmt]) -> Iterator[FunctionNode | ast.ClassDef]:
    """Definitions among statements, also those under `if`, `try`, `with`, `for` and `while`."""
    todo: list[ast.AST] = list(body)
    while todo:
        node = todo.pop(0)
        if isinstance(node, FunctionNode | ast.ClassDef):
            yield node
        elif isinstance(node, ast.stmt | ast.ExceptHandler):
            children: list[ast.AST] = []
            for field in ("body", "orelse", "finalbody", "handlers"):
                children.extend(getattr(node, field, ()))
            todo[:0] = children


def _function_facts(scope: _Scope, todos: list[Todo]) -> FunctionFacts:
    node = scope.node
    assert isinstance(node, FunctionNode)
    visitor = BodyVisitor(node).gather()
    decorators = tuple(ast.unparse(each) for each in node.decorator_list)
    params = parameters(node.args)
    in_class = isinstance(scope.owner, ast.ClassDef)
    kind = _kind(decorators, params[0].name if params else "", scope.owner)
    bound = kind in ("method", "classmethod", "property")
    untyped = [
        param.name
        for index, param in enumerate(params)
        if param.annotation is None and not (index == 0 and (bound or param.name in _NO_ANNOTATION_NEEDED))
    ]
    if node.returns is None and node.name != "__init__":
        untyped.append("return")
    end_line = node.end_lineno or node.lineno
    return FunctionFacts(
        name=node.name,
        qualname=scope.qualname,
        kind=kind,
        line=node.lineno,
        end_line=end_line,
        is_async=isinstance(node, ast.AsyncFunctionDef),
        decorators=decorators,
        params=params,
        returns_annotation=ast.unparse(node.returns) if node.returns else None,
        returned=tuple(visitor.returned),
        falls_through=falls_through(node.body),
        reaches_end=falls_through(node.body, doubt=False),
        yields=tuple(visitor.yields),
        raised=tuple(visitor.raised),
        caught=tuple(visitor.caught),
        calls=tuple(visitor.calls),
        writes=tuple(visitor.writes),
        effects=tuple(visitor.effects),
        guards=visitor.guards(),
        assertions=tuple(visitor.assertions),
        complexity=visitor.complexity,
        deepest=visitor.deepest,
        loops=tuple(visitor.loops),
        todos=tuple(todo for todo in todos if node.lineno <= todo.line <= end_line),
        untyped=tuple(untyped),
        names=frozenset(visitor.names),
        strings=tuple(visitor.strings),
        docstring=ast.get_docstring(node),
        docstring_line=_docstring_line(node),
        docstring_end_line=node.body[0].end_lineno if ast.get_docstring(node) is not None else None,
        docstring_text_line=_docstring_text_line(node),
        class_name=scope.owner.name if in_class and scope.owner else None,
        bases=_bases(scope.owner) if isinstance(scope.owner, ast.ClassDef) else (),
        siblings=scope.siblings,
        is_abstract=_is_abstract(node, decorators),
        subscripts=visitor.subscripts,
    )


def _kind(decorators: tuple[str, ...], first: str, owner: ast.AST | None) -> str:
    names = {each.split("(", 1)[0].rsplit(".", 1)[-1] for each in decorators}
    if "staticmethod" in names:
        return "staticmethod"
    if "classmethod" in names:
        return "classmethod"
    if names & {"property", "cached_property", "cachedproperty", "setter"}:
        return "property"
    if isinstance(owner, FunctionNode):
        return "nested"
    if isinstance(owner, ast.ClassDef) or first == "self":
        return "method"
    return "function"


def _is_abstract(node: FunctionNode, decorators: tuple[str, ...]) -> bool:
    """Whether the body says nothing: abstract, overload, `...`, `pass`, a docstring alone, NotImplementedError."""
    if any(each.rsplit(".", 1)[-1] in ("abstractmethod", "overload", "abstractproperty") for each in decorators):
        return True
    body = [each for each in node.body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))]
    if not body:
        return True
    first = body[0]
    if isinstance(first, ast.Raise) and first.exc is not None:
        return dotted(first.exc).rsplit(".", 1)[-1] in ("NotImplementedError", "NotImplemented")
    return len(body) == 1 and isinstance(first, ast.Pass)


def _class_facts(node: ast.ClassDef, qualname: str) -> ClassFacts:
    attributes: dict[str, Attribute] = {}
    for statement in node.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        for target in targets:
            if isinstance(target, ast.Name):
                attributes.setdefault(target.id, Attribute(target=target.id, line=target.lineno))
    methods = [each for each in node.body if isinstance(each, FunctionNode)]
    for method in methods:
        for inner in ast.walk(method):
            if (
                isinstance(inner, ast.Attribute)
                and isinstance(inner.ctx, ast.Store)
                and isinstance(inner.value, ast.Name)
                and inner.value.id == "self"
            ):
                attributes.setdefault(inner.attr, Attribute(target=inner.attr, line=inner.lineno))
    return ClassFacts(
        name=node.name,
        qualname=qualname,
        line=node.lineno,
        end_line=node.end_lineno or node.lineno,
        bases=_bases(node),
        decorators=tuple(ast.unparse(each) for each in node.decorator_list),
        attributes=tuple(attributes.values()),
        methods=tuple(dict.fromkeys(each.name for each in methods)),
        docstring=ast.get_docstring(node),
        docstring_line=_docstring_line(node),
    )


def _bases(node: ast.ClassDef) -> tuple[str, ...]:
    return tuple(filter(None, (dotted(base) for base in node.bases)))


def _docstring_line(node: FunctionNode | ast.ClassDef) -> int | None:
    return node.body[0].lineno if ast.get_docstring(node) is not None else None


def _docstring_text_line(node: FunctionNode) -> int | None:
    raw = ast.get_docstring(node, clean=False)
    if raw is None:
        return None
    return node.body[0].lineno + raw[: len(raw) - len(raw.lstrip())].count("\n")


def _todos(lines: list[str], first: int, last: int) -> list[Todo]:
    return [
        Todo(tag=match[1], text=match[2].strip(), line=number)
        for number in range(first, last + 1)
        if (match := _TODO.search(lines[number - 1])) is not None
    ]


def _imports(tree: ast.Module) -> Iterator[str]:
    seen: set[str] = set()
    for node in tree.body:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = ["." * node.level + (node.module or "")]
        for name in names:
            if name not in seen:
                seen.add(name)
                yield name


def _constants(tree: ast.Module) -> Iterator[Attribute]:
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            if isinstance(target, ast.Name) and target.id.isupper():
                yield Attribute(target=target.id, line=node.lineno)


def _exports(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)
            and isinstance(node.value, ast.List | ast.Tuple)
        ):
            return [
                each.value for each in node.value.elts if isinstance(each, ast.Constant) and type(each.value) is str
            ]
    return []
