"""Constants of the source that are marked tunable: finding them, setting them, and the space they span.

The text around is kept byte for byte: only the literal changes. See `markers` for how a constant is marked.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from agents.code.transformations.analysis.parsed import ParsedModule
from agents.code.transformations.analysis.shapes import assigned
from agents.code.transformations.markers import HINT, ConstantKind, Marker, parse_marker, write_marker
from core.errors import ConfigError, NotFoundError, nearest
from core.ids import content_hash
from search.parameters import Choice, Float, Int

__all__ = ["Constant", "find_constants", "mark_constant", "set_constants", "space", "structure", "suggest_constants"]

SPREAD = 8
"""How far below and above its value a suggested constant may go, as a factor."""
_UPPER = re.compile(r"^_?[A-Z][A-Z0-9_]*$")


@dataclass(frozen=True)
class Constant:
    """A tunable constant. `name` is unique among the files: `CHUNK`, `Reader.CHUNK`; `a.py:CHUNK` where two share it.

    `low` and `high` bound numbers, both included; `options` are those of a choice.
    """

    path: str
    line: int
    name: str
    value: Any
    kind: ConstantKind
    low: float | None
    high: float | None
    log: bool
    options: tuple[Any, ...]


@dataclass(frozen=True)
class _Place:
    constant: Constant
    start: int
    end: int


def find_constants(files: Mapping[str, str]) -> tuple[Constant, ...]:
    """The marked constants of Python files (path → text), in the order of paths and lines.

    ConfigError, with path, line and what to write, for a malformed marker, or one that stands behind no literal.
    """
    return tuple(place.constant for place in _places(files))


def set_constants(files: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, str]:
    """The files with named constants set. NotFoundError for an unknown name, ConfigError for a value out of range."""
    places = {place.constant.name: place for place in _places(files)}
    changed = dict(files)
    for name in values:
        if name not in places:
            raise NotFoundError(f"there is no tunable constant {name!r}", hint=nearest(name, places))
    for place in sorted((places[name] for name in values), key=lambda place: -place.start):
        constant = place.constant
        value = _parameter(constant).canonical(values[constant.name], constant.name)
        if value == constant.value and type(value) is type(constant.value):
            continue
        text = changed[constant.path]
        changed[constant.path] = text[: place.start] + repr(value) + text[place.end :]
    return changed


def structure(files: Mapping[str, str]) -> str:
    """A hash of the files without the values of their constants: equal for files that differ in those alone."""
    abstract = dict(files)
    for place in sorted(_places(files), key=lambda place: -place.start):
        text = abstract[place.constant.path]
        abstract[place.constant.path] = f"{text[: place.start]}\0{place.constant.name}\0{text[place.end :]}"
    return content_hash(abstract)


def space(constants: Sequence[Constant]) -> dict[str, dict[str, Any]]:
    """The constants as the `space:` of a campaign: name → type and bounds, or options."""
    found: dict[str, dict[str, Any]] = {}
    for constant in constants:
        if constant.kind == "choice":
            found[constant.name] = {"type": "choice", "options": list(constant.options)}
        else:
            found[constant.name] = {
                "type": constant.kind,
                "low": constant.low,
                "high": constant.high,
                "log": constant.log,
            }
    return found


def suggest_constants(files: Mapping[str, str]) -> tuple[Constant, ...]:
    """Unmarked constants that look like settings: positive numbers in capitals at the level of a module.

    The range suggested reaches from an eighth to eight times the value, on a logarithmic scale. Files that do not parse
    have none.
    """
    marked = {(place.constant.path, place.constant.line) for place in _places(files)}
    found: list[Constant] = []
    for path in sorted(files):
        if not path.endswith(".py"):
            continue
        try:
            module = ParsedModule(path, files[path])
        except ConfigError:
            continue
        for statement in module.tree.body:
            one = assigned(statement)
            value: Any = _literal(one[1]) if one else None
            if one is None or type(value) not in (int, float) or (path, statement.lineno) in marked:
                continue
            if (
                not _UPPER.match(one[0].id)
                or len(module.names.top.bindings[one[0].id]) != 1
                or not 1e-12 < value < 1e12
            ):
                continue
            whole = isinstance(value, int)
            low, high = (max(1, value // SPREAD), value * SPREAD) if whole else (value / SPREAD, value * SPREAD)
            kind: ConstantKind = "int" if whole else "float"
            found.append(Constant(path, statement.lineno, one[0].id, value, kind, low, high, True, ()))
    return tuple(_distinct(found))


def mark_constant(files: Mapping[str, str], constant: Constant) -> dict[str, str]:
    """The files with a marker behind a constant that has none. ConfigError when the line has another comment."""
    text = files[constant.path]
    module = ParsedModule(constant.path, text)
    statement = next((each for each in module.tree.body if each.lineno == constant.line and assigned(each)), None)
    where = f"{constant.path}, line {constant.line}"
    if statement is None:
        raise ConfigError(
            f"there is no constant {constant.name!r} here", where=where, hint="suggest the constants again"
        )
    end = module.span(statement)[1]
    if text[end : module.line_at(end)[1]].strip():
        raise ConfigError("something else follows on the line", where=where, hint="put the comment on the line before")
    marker = Marker(constant.kind, constant.low, constant.high, constant.log, constant.options)
    return {**files, constant.path: f"{text[:end]}  {write_marker(marker)}{text[end:]}"}


# ------------------------------------------------------------------ finding
def _places(files: Mapping[str, str]) -> list[_Place]:
    found = [place for path in sorted(files) if path.endswith(".py") for place in _of_file(path, files[path])]
    names = _distinct([place.constant for place in found])
    return [replace(place, constant=constant) for place, constant in zip(found, names, strict=True)]


def _distinct(constants: list[Constant]) -> list[Constant]:
    """The path in front of a name that several files have. ConfigError when one file has it twice."""
    times = Counter(constant.name for constant in constants)
    within = Counter((constant.path, constant.name) for constant in constants)
    for constant in constants:
        if within[constant.path, constant.name] > 1:
            raise ConfigError(
                f"{constant.name} is marked twice",
                where=f"{constant.path}, line {constant.line}",
                hint="mark one of them",
            )
    return [
        replace(constant, name=f"{constant.path}:{constant.name}") if times[constant.name] > 1 else constant
        for constant in constants
    ]


def _of_file(path: str, text: str) -> Iterator[_Place]:
    if "tunable" not in text.lower():
        return
    module = ParsedModule(path, text)
    ends: dict[int, ast.stmt] = {}
    for node in module.nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.end_lineno:
            ends.setdefault(node.end_lineno, node)
    for offset, comment in module.comments:
        line = (
            text.count("\n", 0, offset) + 1 if "\r" not in text else len(re.findall(r"\r\n|\r|\n", text[:offset])) + 1
        )
        where = f"{path}, line {line}"
        statement = ends.get(line)
        found = assigned(statement)
        value = _literal(found[1]) if found else None
        marker = parse_marker(comment, value, where)
        if marker is None:
            continue
        if found is None or statement is None or isinstance(value, _NoLiteral):
            raise ConfigError("the marker `tunable` stands behind no NAME = literal", where=where, hint=HINT)
        name = ".".join(part for part in (module.qualname(statement).removeprefix("module"), found[0].id) if part)
        constant = Constant(
            path, line, name, value, marker.kind, marker.low, marker.high, marker.log, marker.options
        )  # fmt: skip
        _parameter(constant, where)
        yield _Place(constant, *module.span(found[1]))


class _NoLiteral:
    """Stands for the value of an expression that is no literal."""


def _literal(node: ast.expr) -> Any:
    number = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd) else node
    if not isinstance(number, ast.Constant) or not isinstance(number.value, bool | int | float | str | None):
        return _NoLiteral()
    if number is node:
        return node.value if isinstance(node, ast.Constant) else _NoLiteral()
    if isinstance(number.value, bool | str | None):
        return _NoLiteral()
    return -number.value if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else number.value


def _parameter(constant: Constant, where: str = "") -> Int | Float | Choice:
    """The search's own parameter, which knows the bounds. ConfigError when they make no sense or exclude the value."""
    try:
        if constant.kind == "choice":
            return Choice(options=list(constant.options), default=constant.value)
        kind = Int if constant.kind == "int" else Float
        return kind(constant.low, constant.high, log=constant.log, default=constant.value)  # type: ignore[arg-type]
    except ValidationError as error:
        why = "; ".join(each["msg"].removeprefix("Value error, ") for each in error.errors())
        raise ConfigError(f"{constant.name} cannot be tuned like this: {why}", where=where, hint=HINT) from error
