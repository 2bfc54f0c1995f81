"""The code of a live service as text, and which of its files may be changed."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agents.code.paths import Allowed, allows
from core.errors import ConfigError

__all__ = ["ServiceCode", "read_service"]

MOST_FILES = 2000
MOST_BYTES = 1_000_000
HIDDEN = (".git", ".venv", "venv", "node_modules", "__pycache__")


@dataclass(frozen=True)
class ServiceCode:
    """`files` are the Python files by path below the root; `allowed` are globs, or says which may change."""

    files: Mapping[str, str]
    allowed: Allowed

    def may_change(self, path: str) -> bool:
        return path in self.files and allows(self.allowed, path)

    @property
    def changeable(self) -> tuple[str, ...]:
        return tuple(path for path in sorted(self.files) if self.may_change(path))

    def architecture(self) -> str:
        """A line for each module: what its docstring says, what it imports of the service, what it defines."""
        own = {Path(path).with_suffix("").parts[0] for path in self.files}
        return "\n".join(line for path in sorted(self.files) for line in _module_line(path, self.files[path], own))


def read_service(root: Path, allowed: Allowed) -> ServiceCode:
    """The Python files below `root`.  Raises ConfigError when there is none, or too many to be one service."""
    files: dict[str, str] = {}
    for place in sorted(root.rglob("*.py")):
        path = place.relative_to(root)
        if set(path.parts) & set(HIDDEN) or place.is_symlink() or place.stat().st_size > MOST_BYTES:
            continue
        try:
            files[path.as_posix()] = place.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if len(files) > MOST_FILES:
            raise ConfigError(f"more than {MOST_FILES} Python files", where=str(root), hint="name the service's folder")
    if not files:
        raise ConfigError("no Python file of a service is there", where=str(root))
    return ServiceCode(files, allowed)


def _module_line(path: str, text: str, own: set[str]) -> Iterator[str]:
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    said = (ast.get_docstring(tree) or "").partition("\n")[0]
    defined = [n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    used = sorted({module for node in ast.walk(tree) for module in _imports(node) if module.split(".")[0] in own})
    parts = [said, f"uses {', '.join(used)}" if used else "", f"defines {', '.join(defined)}" if defined else ""]
    yield f"{path}: {'; '.join(part for part in parts if part) or 'nothing of its own'}"


def _imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
