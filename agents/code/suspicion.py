"""Code that reaches for its judge: what a change newly imports or calls that no faster program needs.

The sandbox and the judge hold without this look; it is there so that such a candidate is refused by name, before it is
paid for, and not only because it did not pay.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import lru_cache

__all__ = ["suspicions"]

MODULES = {
    "pytest", "_pytest", "unittest", "cProfile", "profile", "gc", "ctypes", "_ctypes", "atexit", "signal", "socket",
    "ssl", "subprocess", "multiprocessing", "pty", "resource", "faulthandler", "tracemalloc", "inspect", "importlib",
    "runpy", "code", "codeop", "site", "builtins", "pickle", "marshal", "shutil", "tempfile", "urllib", "http",
}  # fmt: skip
"""A change that newly imports one of these is not about the speed of the code."""
NAMES = {
    "sys.modules", "sys.settrace", "sys.setprofile", "sys.exit", "sys._getframe", "sys.meta_path", "sys.path",
    "sys.stdout", "sys.argv", "os._exit", "os.abort", "os.fork", "os.kill", "os.execv", "os.system", "os.environ",
    "os.remove", "os.unlink", "os.rename", "os.replace", "time.sleep", "builtins.print",
}  # fmt: skip
CALLS = {"exec", "eval", "compile", "__import__", "globals", "breakpoint", "exit", "quit", "input"}
CLOCKS = {
    "perf_counter",
    "perf_counter_ns",
    "monotonic",
    "monotonic_ns",
    "process_time",
    "process_time_ns",
    "time",
    "time_ns",
}


def suspicions(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What the files newly do, one sentence each; empty for an honest change.  What does not parse is passed over."""
    found: list[str] = []
    for path, text in after.items():
        if not path.endswith(".py") or text == before.get(path):
            continue
        old = _reaches(before.get(path, ""))
        found += [f"{path} {what}" for what in _reaches(text) if what not in old]
    return found


@lru_cache(maxsize=1024)
def _reaches(text: str) -> tuple[str, ...]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    told: dict[str, None] = {}
    for node in ast.walk(tree):
        for what in _of(node):
            told[what] = None
    return tuple(told)


def _of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [f"imports {a.name}" for a in node.names if a.name.partition(".")[0] in MODULES]
    if isinstance(node, ast.ImportFrom):
        return [f"imports {node.module}"] if (node.module or "").partition(".")[0] in MODULES else []
    if isinstance(node, ast.Attribute):
        name = _dotted(node)
        if name in NAMES:
            return [f"uses {name}"]
        clock = isinstance(node.ctx, ast.Store) and node.attr in CLOCKS
        return [f"sets {name}"] if clock else []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        name = node.func.id
        if name in CALLS:
            return [f"calls {name}"]
        if name == "setattr":
            return ["calls setattr"]
    if isinstance(node, ast.Name) and node.id in ("__builtins__", "__loader__"):
        return [f"uses {node.id}"]
    return []


def _dotted(node: ast.Attribute) -> str:
    return f"{node.value.id}.{node.attr}" if isinstance(node.value, ast.Name) else node.attr
