"""What the body of one function does: one walk over its syntax tree, inner functions left out."""

from __future__ import annotations

import ast
import builtins

from agents.feedback.fact_records import (
    Assertion,
    Attribute,
    Block,
    Call,
    CaughtException,
    Effect,
    Guard,
    Param,
    RaisedException,
    ReturnedValue,
)
from agents.feedback.kinds import UNKNOWN, KindInference, dotted
from core.complexity import decisions

__all__ = ["BodyVisitor", "FunctionNode", "parameters", "short"]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

_MUTATORS = frozenset(
    [
        "append", "extend", "insert", "remove", "pop", "popitem", "clear", "update", "setdefault", "add", "discard",
        "sort", "reverse", "difference_update", "intersection_update", "symmetric_difference_update", "appendleft",
        "extendleft", "popleft", "rotate"
    ]
)  # fmt: skip
_IO_CALLS = frozenset(
    [
        "open", "print", "input", "io.open", "os.remove", "os.unlink", "os.rename", "os.replace", "os.mkdir",
        "os.makedirs", "os.rmdir", "os.system", "os.popen", "os.chmod", "os.chown", "os.symlink", "os.link",
        "shutil.rmtree", "shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.move", "shutil.copytree",
        "subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call", "subprocess.check_output",
        "sys.stdout.write", "sys.stderr.write", "socket.socket", "urllib.request.urlopen", "urlopen",
        "requests.get", "requests.post", "json.dump", "pickle.dump"
    ]
)  # fmt: skip
_IO_METHODS = frozenset(
    [
        "write", "writelines", "write_text", "write_bytes", "read_text", "read_bytes", "unlink", "mkdir", "rmdir",
        "touch", "sendall", "send", "recv"
    ]
)  # fmt: skip
_NEVER_RETURN = frozenset({"exit", "_exit", "abort", "quit", "fail", "error", "assert_never"})
"""Last parts of the names of calls that may well not come back."""
_BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


def short(node: ast.AST, limit: int = 80) -> str:
    """Source text of a node on one line, cut at `limit` characters."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def parameters(arguments: ast.arguments) -> tuple[Param, ...]:
    """Parameters in order of the signature."""
    found: list[Param] = []

    def add(arg: ast.arg, kind: str, default: ast.expr | None = None) -> None:
        found.append(
            Param(
                name=arg.arg,
                kind=kind,
                annotation=ast.unparse(arg.annotation) if arg.annotation else None,
                default=ast.unparse(default) if default is not None else None,
                line=arg.lineno,
            )
        )

    plain = arguments.posonlyargs + arguments.args
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults)
    for index, (arg, default) in enumerate(zip(plain, defaults, strict=True)):
        add(arg, "positional_only" if index < len(arguments.posonlyargs) else "positional", default)
    if arguments.vararg:
        add(arguments.vararg, "var_positional")
    for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        add(arg, "keyword_only", default)
    if arguments.kwarg:
        add(arguments.kwarg, "var_keyword")
    return tuple(found)


class BodyVisitor(ast.NodeVisitor):
    """Gathers the facts of one function body. Use once: `BodyVisitor(node).gather()`."""

    def __init__(self, function: FunctionNode) -> None:
        self.function = function
        self.params = {param.name for param in parameters(function.args)}
        self.kinds = KindInference(function)
        self.returned: list[ReturnedValue] = []
        self.yields: list[int] = []
        self.raised: list[RaisedException] = []
        self.caught: list[CaughtException] = []
        self.calls: list[Call] = []
        self.writes: list[Attribute] = []
        self.effects: list[Effect] = []
        self.assertions: list[Assertion] = []
        self.loops: list[int] = []
        self.names: set[str] = set()
        self.strings: list[str] = []
        self.complexity = 1
        self.subscripts = False
        self.deepest: Block | None = None
        self._conditions: list[str] = []
        self._handlers: list[tuple[str, ...]] = []
        self._shielded: list[tuple[str, ...]] = []
        self._depth = 0
        self._rebound: set[str] = set()
        self._globals: set[str] = set()
        self._inner = 0

    def gather(self) -> BodyVisitor:
        for default in [*self.function.args.defaults, *self.function.args.kw_defaults]:
            if default is not None:
                self.visit(default)
        has_docstring = ast.get_docstring(self.function, clean=False) is not None
        for statement in self.function.body[1 if has_docstring else 0 :]:
            self.visit(statement)
        return self

    def guards(self) -> tuple[Guard, ...]:
        """Early exits among the top-level statements of the body."""
        found = []
        for statement in self.function.body:
            if not isinstance(statement, ast.If) or statement.orelse or not statement.body:
                continue
            last = statement.body[-1]
            if isinstance(last, ast.Raise):
                action = f"raise {dotted(last.exc) if last.exc else ''}".strip()
            elif isinstance(last, ast.Return):
                action = f"return {short(last.value, 40) if last.value else ''}".strip()
            else:
                continue
            found.append(Guard(condition=short(statement.test), action=action, line=statement.lineno))
        return tuple(found)

    # -- control flow

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, _BRANCHES):
            self._depth += 1
            if self.deepest is None or self._depth > self.deepest.depth:
                self.deepest = Block(depth=self._depth, line=node.lineno)
            super().visit(node)
            self._depth -= 1
        else:
            super().visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._inner_scope(node, node.name)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._inner_scope(node, node.name)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._inner_scope(node, node.name)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._inner_scope(node, "")

    def _inner_scope(self, node: ast.AST, name: str) -> None:
        """Inner scopes lend their words and calls, but what they return, raise or write is their own."""
        self.names.add(name)
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name):
                self.names.add(inner.id)
            elif isinstance(inner, ast.Attribute):
                self.names.add(inner.attr)
            elif isinstance(inner, ast.arg):
                self.names.add(inner.arg)
            elif isinstance(inner, ast.Call) and (called := dotted(inner.func)):
                self.calls.append(Call(name=called, line=inner.lineno))
            elif isinstance(inner, ast.Constant) and isinstance(inner.value, str) and len(inner.value) < 200:
                self.strings.append(inner.value)

    def visit_If(self, node: ast.If) -> None:
        """An `elif` is a branch beside the first one, not a level below it."""
        while True:
            self.complexity += decisions(node)
            self.visit(node.test)
            condition = short(node.test)
            self._conditions.append(condition)
            for statement in node.body:
                self.visit(statement)
            self._conditions.pop()
            if (following := _elif(node)) is None:
                break
            node = following
        self._conditions.append(f"not ({condition})")
        for statement in node.orelse:
            self.visit(statement)
        self._conditions.pop()

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.complexity += decisions(node)
        self.loops.append(node.lineno)
        self._bind(node.target)
        self.generic_visit(node)

    visit_AsyncFor = visit_For  # noqa: N815

    def visit_While(self, node: ast.While) -> None:
        self.complexity += decisions(node)
        self.loops.append(node.lineno)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.complexity += decisions(node)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.complexity += decisions(node)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        self.complexity += decisions(node)
        self.generic_visit(node)

    def visit_match_case(self, node: ast.match_case) -> None:
        self.complexity += decisions(node)
        self.generic_visit(node)

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        caught = tuple(name for handler in node.handlers for name in _caught_names(handler))
        self._shielded.append(caught)
        for statement in node.body:
            self.visit(statement)
        self._shielded.pop()
        for handler in node.handlers:
            self.complexity += decisions(handler)
            names = _caught_names(handler)
            self.caught.append(CaughtException(exceptions=names, line=handler.lineno, action=_action(handler)))
            self._handlers.append(names)
            for statement in handler.body:
                self.visit(statement)
            self._handlers.pop()
        for statement in [*node.orelse, *node.finalbody]:
            self.visit(statement)

    def visit_TryStar(self, node: ast.TryStar) -> None:
        self.visit_Try(node)

    # -- what leaves the function

    def visit_Return(self, node: ast.Return) -> None:
        value = node.value
        text = short(value) if value is not None else "None"
        kinds = self.kinds.of(value) if value is not None else ("None",)
        self.returned.append(ReturnedValue(line=node.lineno, text=text, kinds=kinds))
        self.generic_visit(node)

    def visit_Yield(self, node: ast.Yield | ast.YieldFrom) -> None:
        self.yields.append(node.lineno)
        self.generic_visit(node)

    visit_YieldFrom = visit_Yield  # noqa: N815

    def visit_Raise(self, node: ast.Raise) -> None:
        condition = self._conditions[-1] if self._conditions else None
        if node.exc is None:
            for name in self._handlers[-1] if self._handlers else ():
                self._leave(RaisedException(exception=name, line=node.lineno, condition=condition, reraised=True))
        else:
            name = dotted(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)
            bound = self.kinds.caught_as(name)
            made = self.kinds.of(node.exc) if isinstance(node.exc, ast.Name) and not bound else ()
            names = bound or (made if made and UNKNOWN not in made else (name,) if name else ())
            message = _message(node.exc)
            for each in names:
                self._leave(
                    RaisedException(
                        exception=each, line=node.lineno, message=message, condition=condition, reraised=bool(bound)
                    )
                )
        self.generic_visit(node)

    def _leave(self, raised: RaisedException) -> None:
        """Recorded, unless a handler around it catches it, or may do so for all that the syntax tells."""
        if not any(_may_catch(name, raised.exception) for caught in self._shielded for name in caught):
            self.raised.append(raised)

    def visit_Assert(self, node: ast.Assert) -> None:
        self.assertions.append(Assertion(condition=short(node.test), line=node.lineno))
        self.generic_visit(node)

    # -- effects

    def visit_Call(self, node: ast.Call) -> None:
        name = dotted(node.func)
        if name:
            self.calls.append(Call(name=name, line=node.lineno))
            self._call_effect(name, node)
        self.generic_visit(node)

    def _call_effect(self, name: str, node: ast.Call) -> None:
        root, _, method = name.rpartition(".")
        first = name.split(".", 1)[0]
        if name in _IO_CALLS and first not in self.params:
            self.effects.append(Effect(kind="io", what=f"{name}()", line=node.lineno))
        elif root and method in _MUTATORS and root.startswith(("self.", "cls.")):
            self.effects.append(Effect(kind="attribute", what=root, line=node.lineno, certain=False))
        elif root in self.params - {"self", "cls"} and root not in self._rebound and method in _MUTATORS:
            self.effects.append(Effect(kind="argument", what=root, line=node.lineno, certain=False))
        elif root and method in _IO_METHODS and first != "re":
            self.effects.append(Effect(kind="io", what=f"{name}()", line=node.lineno, certain=False))
        elif name in ("os.putenv", "os.environ.update", "os.environ.setdefault", "os.chdir", "sys.path.insert"):
            self.effects.append(Effect(kind="environment", what=name, line=node.lineno))

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._write(target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        self._write(node.target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
        self._write(node.target)

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self._write(target)

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        self._globals.update(node.names)

    visit_Nonlocal = visit_Global  # noqa: N815

    def _write(self, target: ast.expr) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            for element in target.elts:
                self._write(element)
            return
        if isinstance(target, ast.Starred):
            self._write(target.value)
            return
        if isinstance(target, ast.Name):
            if target.id in self._globals:
                self.effects.append(Effect(kind="global", what=target.id, line=target.lineno))
            self._rebound.add(target.id)
        else:
            self._write_place(target)
        self.generic_visit(target)
        if isinstance(target, ast.Name):
            self.names.add(target.id)
        elif isinstance(target, ast.Attribute):
            self.names.add(target.attr)

    def _write_place(self, target: ast.expr) -> None:
        """A write through an attribute or a subscript: to self, to an argument, or to the environment."""
        base: ast.expr = target
        while isinstance(base, ast.Attribute | ast.Subscript):
            base = base.value
        name = dotted(target.value if isinstance(target, ast.Subscript) else target)
        line = target.lineno
        if name.startswith("os.environ"):
            self.effects.append(Effect(kind="environment", what="os.environ", line=line))
        elif isinstance(base, ast.Name) and base.id in ("self", "cls"):
            if isinstance(target, ast.Attribute):
                self.writes.append(Attribute(target=name, line=line))
            self.effects.append(Effect(kind="attribute", what=name or base.id, line=line))
        elif isinstance(base, ast.Name) and base.id in self.params and base.id not in self._rebound:
            self.effects.append(Effect(kind="argument", what=name or base.id, line=line))
        elif isinstance(target, ast.Attribute):
            self.writes.append(Attribute(target=name, line=line))

    def _bind(self, target: ast.expr) -> None:
        self._rebound.update(node.id for node in ast.walk(target) if isinstance(node, ast.Name))

    # -- words

    def visit_Name(self, node: ast.Name) -> None:
        self.names.add(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.names.add(node.attr)
        self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg:
            self.names.add(node.arg)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.subscripts = self.subscripts or not isinstance(node.slice, ast.Slice)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and len(node.value) < 200:
            self.strings.append(node.value)
        elif isinstance(node.value, bytes) and len(node.value) < 200:
            self.strings.append(node.value.decode("latin-1"))


def falls_through(body: list[ast.stmt], doubt: bool = True) -> bool:
    """Whether control can reach the end of `body`; `doubt` where the syntax does not tell (a context manager may
    swallow an exception, a call may never return)."""
    while body and isinstance(last := body[-1], ast.If):
        if falls_through(last.body, doubt) or not last.orelse:
            return True
        body = last.orelse
    if not body:
        return True
    last = body[-1]
    if isinstance(last, ast.Return | ast.Raise | ast.Continue | ast.Break):
        return False
    if isinstance(last, ast.With | ast.AsyncWith):
        return doubt or falls_through(last.body, doubt)
    if isinstance(last, ast.While):
        endless = isinstance(last.test, ast.Constant) and bool(last.test.value)
        return not endless or _breaks(last.body)
    if isinstance(last, ast.Try | ast.TryStar):
        if last.finalbody and not falls_through(last.finalbody, doubt):
            return False
        whole = falls_through(last.body, doubt) and (not last.orelse or falls_through(last.orelse, doubt))
        return whole or any(falls_through(handler.body, doubt) for handler in last.handlers)
    if isinstance(last, ast.Match):
        return doubt or any(falls_through(case.body, doubt) for case in last.cases)
    if isinstance(last, ast.Assert):
        return doubt or not (isinstance(last.test, ast.Constant) and not last.test.value)
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
        return doubt or dotted(last.value.func).rsplit(".", 1)[-1] not in _NEVER_RETURN
    return True


def _breaks(body: list[ast.stmt]) -> bool:
    """Whether a `break` among these statements ends the loop that they are the body of."""
    todo: list[ast.AST] = list(body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Break):
            return True
        if isinstance(node, ast.For | ast.AsyncFor | ast.While):
            todo.extend(node.orelse)
        elif not isinstance(node, FunctionNode | ast.ClassDef | ast.expr):
            todo.extend(ast.iter_child_nodes(node))
    return False


def _elif(node: ast.If) -> ast.If | None:
    """The `elif` that follows; an `if` of its own below `else:` stands deeper."""
    match node.orelse:
        case [ast.If() as only] if only.col_offset == node.col_offset:
            return only
    return None


def _may_catch(caught: str, raised: str) -> bool:
    """Whether `except caught` catches `raised`: for built-in classes it is known, of others any could be a base."""
    caught, raised = (name.rsplit(".", 1)[-1] for name in (caught, raised))
    base, one = getattr(builtins, caught, None), getattr(builtins, raised, None)
    if isinstance(one, type):
        return issubclass(one, base) if isinstance(base, type) else caught[:1].islower()  # `socket.error` is a new name
    return not isinstance(base, type) or base in (Exception, BaseException)


def _caught_names(handler: ast.ExceptHandler) -> tuple[str, ...]:
    if handler.type is None:
        return ("BaseException",)
    if isinstance(handler.type, ast.Tuple):
        return tuple(filter(None, map(dotted, handler.type.elts)))
    return tuple(filter(None, (dotted(handler.type),)))


def _action(handler: ast.ExceptHandler) -> str:
    last = handler.body[-1]
    for node, action in ((ast.Raise, "raise"), (ast.Return, "return"), (ast.Continue, "continue"), (ast.Pass, "pass")):
        if isinstance(last, node):
            return action
    return "other"


def _message(raised: ast.expr) -> str | None:
    if not isinstance(raised, ast.Call) or not raised.args:
        return None
    first = raised.args[0]
    if isinstance(first, ast.BinOp) and isinstance(first.op, ast.Mod | ast.Add):
        first = first.left
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value
    if isinstance(first, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{" + short(part.value, 30) + "}"
            for part in first.values
            if isinstance(part, ast.Constant | ast.FormattedValue)
        )
    return None
