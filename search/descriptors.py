"""What code is like, in numbers, from its text alone: the measures that an archive can tell candidates apart by."""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.complexity import FUNCTIONS, decisions
from core.errors import ConfigError, nearest
from search.grid import Axis

__all__ = ["MEASURES", "METRIC", "CodeMeasures", "axes", "change_size", "code_measures", "describe"]

METRIC = "metric:"
"""The prefix of an axis that is a metric of the campaign, such as `metric:accuracy`."""

MEASURES = {
    "change_size": "lines taken out and put in, over all lines before and after: 0 the same, 1 nothing in common",
    "complexity": "McCabe's cyclomatic complexity, summed over functions and modules",
    "imports": "different modules imported",
    "lines": "lines that are neither blank nor only a comment",
    "memory_mb": "peak memory of the run, megabytes",
    "nesting": "blocks inside blocks, at the deepest place",
    "nodes": "nodes of the syntax tree",
}

BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


@dataclass(frozen=True, slots=True)
class CodeMeasures:
    """Measures of Python text.  `hardest` is the complexity of its most complex function; the rest is in `MEASURES`."""

    lines: int = 0
    nodes: int = 0
    complexity: int = 0
    hardest: int = 0
    nesting: int = 0
    functions: int = 0
    modules: frozenset[str] = frozenset()

    @property
    def imports(self) -> int:
        return len(self.modules)

    def __add__(self, other: CodeMeasures) -> CodeMeasures:
        """The measures of both texts together."""
        return CodeMeasures(
            lines=self.lines + other.lines,
            nodes=self.nodes + other.nodes,
            complexity=self.complexity + other.complexity,
            hardest=max(self.hardest, other.hardest),
            nesting=max(self.nesting, other.nesting),
            functions=self.functions + other.functions,
            modules=self.modules | other.modules,
        )


def code_measures(text: str) -> CodeMeasures:
    """Measures of one Python text.  Raises ValueError when it is none, or nested too deeply to be read.

    Complexity is McCabe's, of the module and each function or lambda: see `core.complexity`.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # such as an escape that is none: not our text
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"this is not Python that can be read: {error}") from error
    counts: Counter[int] = Counter()
    nodes = functions = deepest = 0
    modules: set[str] = set()
    for node, owner, depth in _walk(tree):
        nodes += 1
        deepest = max(deepest, depth)
        functions += owner == id(node) and node is not tree
        counts[owner] += (owner == id(node)) + decisions(node)
        modules.update(_imported(node))
    hardest = max((n for owner, n in counts.items() if owner != id(tree)), default=0)
    return CodeMeasures(_lines(text), nodes, counts.total(), hardest, deepest, functions, frozenset(modules))


def change_size(before: Mapping[str, str], after: Mapping[str, str]) -> float:
    """The share of lines that are not in both, over the files by path; a moved line is no change, blank ones no lines.

    0 for nothing changed, 1 for nothing in common.
    """
    old, new = _line_counts(before), _line_counts(after)
    total = old.total() + new.total()
    return ((old - new).total() + (new - old).total()) / total if total else 0.0


def axes(chosen: Mapping[str, int | Sequence[float]]) -> tuple[Axis, ...]:
    """The axes of an archive: by name of a measure, the number of bins to learn or the edges.  Raises ConfigError."""
    made = []
    for name, cut in chosen.items():
        if name not in MEASURES and not (name.startswith(METRIC) and name != METRIC):
            raise ConfigError(
                f"there is no measure {name!r}",
                where="archive",
                hint=f"{nearest(name, MEASURES)} A metric is written `{METRIC}<its name>`",
            )
        made.append(Axis(name, bins=cut) if isinstance(cut, int) else Axis(name, edges=tuple(map(float, cut))))
    return tuple(made)


def describe(
    names: Sequence[str],
    before: Mapping[str, str],
    after: Mapping[str, str],
    metrics: Mapping[str, float],
    memory_mb: float | None = None,
) -> dict[str, float]:
    """The value of each named measure of the candidate whose files, by path, were `before` and are `after`.

    Only `*.py` are read as Python.  Raises ValueError for a metric or memory that is not there, or for broken Python.
    """
    read = {"complexity", "imports", "lines", "nesting", "nodes"} & set(names)
    code = _all(after) if read else CodeMeasures()
    out: dict[str, float] = {}
    for name in names:
        if name == "change_size":
            out[name] = change_size(before, after)
        elif name == "memory_mb" or name.startswith(METRIC):
            value = memory_mb if name == "memory_mb" else metrics.get(name.removeprefix(METRIC))
            if value is None:
                raise ValueError(f"the run reported no {name.removeprefix(METRIC)}, which the archive is to be cut by")
            out[name] = float(value)
        else:
            out[name] = float(getattr(code, name))
    return out


def _all(files: Mapping[str, str]) -> CodeMeasures:
    total = CodeMeasures()
    for path, text in sorted(files.items()):
        total += code_measures(text) if path.endswith(".py") else CodeMeasures(lines=_lines(text))
    return total


def _walk(tree: ast.Module) -> Iterator[tuple[ast.AST, int, int]]:
    """Every node with the id of the function (or module) it belongs to, and its depth in blocks; a function is its own.

    With a stack of its own: the text may be nested more deeply than Python's.
    """
    stack: list[tuple[ast.AST, int, int]] = [(tree, id(tree), 0)]
    while stack:
        node, owner, depth = stack.pop()
        if isinstance(node, FUNCTIONS):
            owner, depth = id(node), 0
        yield node, owner, depth
        stack.extend((child, owner, depth + _deeper(node, child)) for child in ast.iter_child_nodes(node))


def _deeper(node: ast.AST, child: ast.AST) -> bool:
    """Whether the child lies a block deeper.  An `elif` does not."""
    if not isinstance(child, BLOCKS):
        return False
    return not (isinstance(node, ast.If) and node.orelse == [child] and isinstance(child, ast.If))


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return ["." * node.level + (node.module or "")]
    return []


def _lines(text: str) -> int:
    return sum(1 for line in map(str.strip, text.splitlines()) if line and not line.startswith("#"))


def _line_counts(files: Mapping[str, str]) -> Counter[tuple[str, str]]:
    return Counter((path, line) for path, text in files.items() for line in map(str.rstrip, text.splitlines()) if line)
