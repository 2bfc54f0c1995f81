"""Whether every import of a file leads somewhere, without running any of it.

Modules of the service are looked for below its root (and `src`), and what is imported from them by name must stand
there.  Of installed packages only the module is looked for: what names they hold is known only by running them.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.drafts import CheckFault
from core.errors import UnavailableError

__all__ = ["import_faults"]

PLACES = ("", "src")
TIMEOUT_S = 30.0
PROGRAM = """
import importlib.util, json, sys
from importlib.machinery import PathFinder

def there(name):
    top, *rest = name.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        spec = sys.modules.get(top)
    for at, part in enumerate(rest, 1):
        if spec is None:
            break
        inside = getattr(spec, "submodule_search_locations", None)
        if inside is None:
            return top in sys.stdlib_module_names
        spec = PathFinder.find_spec(".".join([top, *rest[:at]]), inside)
    return spec is not None

print(json.dumps([name for name in json.load(sys.stdin) if not there(name)]))
"""
"""A submodule is looked for in the folders of its package, so that the package is not imported."""


@dataclass(frozen=True)
class _Import:
    path: str
    line: int
    module: str
    name: str = ""


def import_faults(files: Mapping[str, str], tree: Path) -> list[CheckFault]:
    """Imports of `files` (path → text that parses) that lead nowhere; `tree` is the service as it would be.

    Those that catch their own ImportError are left out.  Raises UnavailableError when Python gives no answer.
    """
    faults, outside = [], list[_Import]()
    for path, text in files.items():
        for found in _imports(path, ast.parse(text)):
            if isinstance(found, CheckFault):
                faults.append(found)
            elif (why := _local_fault(tree, found)) is None:
                outside.append(found)
            elif why:
                faults.append(CheckFault(check="imports", path=path, line=found.line, text=why))
    missing = _missing(sorted({one.module for one in outside})) if outside else set()
    faults += [
        CheckFault(check="imports", path=one.path, line=one.line, text=f"there is no module {one.module!r}")
        for one in dict.fromkeys(_Import(each.path, each.line, each.module) for each in outside)
        if one.module in missing
    ]
    return faults


def _imports(path: str, tree: ast.Module) -> Iterator[_Import | CheckFault]:
    caught = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Try) and any(_catches(handler) for handler in node.handlers)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    package = [*Path(path).parent.parts]
    if package[:1] == ["src"]:
        package = package[1:]
    for node in ast.walk(tree):
        if id(node) in caught:
            continue
        if isinstance(node, ast.Import):
            yield from (_Import(path, node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level > len(package):
                text = f"the import leads out of the service: {'.' * node.level}{node.module or ''}"
                yield CheckFault(check="imports", path=path, line=node.lineno, text=text)
                continue
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (_Import(path, node.lineno, module, alias.name) for alias in node.names)


def _catches(handler: ast.ExceptHandler) -> bool:
    named = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        each is None
        or (
            isinstance(each, ast.Name)
            and each.id in ("ImportError", "ModuleNotFoundError", "Exception", "BaseException")
        )
        for each in named
    )


def _local_fault(tree: Path, found: _Import) -> str | None:
    """What is wrong with an import from the service; empty for nothing, None when it is from elsewhere."""
    parts = found.module.split(".")
    roots = [tree / place for place in PLACES if _exists((tree / place).joinpath(parts[0]))]
    if not roots:
        return None
    for root in roots:
        place = root.joinpath(*parts)
        if not _exists(place):
            continue
        if not found.name or found.name == "*" or _exists(place / found.name):
            return ""
        source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        names = _names(source)
        if names is None or found.name in names:
            return ""
        return f"{found.module} has no {found.name!r}"
    return f"there is no module {found.module!r} in the service"


def _exists(place: Path) -> bool:
    return (
        place.is_dir()
        or place.with_name(f"{place.name}.py").is_file()
        or any(place.parent.glob(f"{place.name}.*.so") if place.parent.is_dir() else ())
    )


def _names(source: Path) -> set[str] | None:
    """The names that a module's own statements bind; None where they cannot be told."""
    try:
        tree = ast.parse(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return set() if source.name == "__init__.py" else None
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    names: set[str] = {"__name__", "__file__", "__doc__", "__path__"}
    todo: list[ast.AST] = [*tree.body]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.Lambda):
            continue
        todo += ast.iter_child_nodes(node)
    return None if names & {"*", "__getattr__"} else names


def _missing(modules: list[str]) -> set[str]:
    try:
        done = subprocess.run(  # noqa: S603 -- our own program, and no shell
            [sys.executable, "-I", "-c", PROGRAM],
            input=json.dumps(modules), capture_output=True, text=True, timeout=TIMEOUT_S, check=True, cwd="/",
        )  # fmt: skip
        return set(json.loads(done.stdout))
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        raise UnavailableError(f"Python does not say which modules there are: {error}", where=sys.executable) from error
