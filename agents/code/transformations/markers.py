"""The comment that marks a constant as tunable, and what it says.

CHUNK = 64  # tunable: 8..4096 log          a whole number, searched on a logarithmic scale
RATE = 0.1  # tunable: 0.001..1.0 log       a real number, because value or bounds have a point
DEPTH = 4  # tunable: 1..16 int             said explicitly
MODE = "fast"  # tunable: choice "fast", "small", None
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any, Literal

from core.errors import ConfigError

__all__ = ["HINT", "ConstantKind", "Marker", "parse_marker", "write_marker"]

ConstantKind = Literal["int", "float", "choice"]

HINT = 'write NAME = 64  # tunable: 8..4096 log, or # tunable: choice 1, 2, "x"'
_MARK = re.compile(r"#\s*tunable\s*(?::(?P<said>.*)|(?=[\d\s.+-]*\.\.))", re.IGNORECASE)
_NUMBER = r"[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"^(?P<low>{_NUMBER})\s*\.\.\s*(?P<high>{_NUMBER})(?P<words>(?:\s+\w+)*)$")
_WORDS = {"log", "int", "float"}


@dataclass(frozen=True)
class Marker:
    """`low` and `high` are None for a choice; `options` is empty for a range."""

    kind: ConstantKind
    low: float | None
    high: float | None
    log: bool
    options: tuple[Any, ...]


def parse_marker(comment: str, value: Any, where: str) -> Marker | None:
    """What a comment behind `value` says; None for any other comment. ConfigError when it is a marker but malformed."""
    match = _MARK.search(comment)
    if match is None:
        return None
    said = (match["said"] or "").strip()
    if not said:
        raise ConfigError("the marker `tunable` says nothing", where=where, hint=HINT)
    if said.split()[0] == "choice":
        return Marker("choice", None, None, False, _options(said.removeprefix("choice").strip(), where))
    found = _RANGE.match(said)
    if found is None:
        raise ConfigError(f"{said!r} is neither a range nor a choice", where=where, hint=HINT)
    words = found["words"].split()
    for word in words:
        if word not in _WORDS:
            raise ConfigError(
                f"{word!r} means nothing in a marker", where=where, hint="only log, int and float follow a range"
            )
    if {"int", "float"} <= set(words):
        raise ConfigError("a constant is either int or float", where=where, hint=HINT)
    low, high = _number(found["low"]), _number(found["high"])
    whole = all(isinstance(each, int) for each in (low, high, value))
    kind: ConstantKind = "int" if "int" in words else "float" if "float" in words or not whole else "int"
    if kind == "int" and not whole:
        raise ConfigError(f"{said!r} says int, but a bound or the value has a point", where=where, hint=HINT)
    return Marker(kind, low, high, "log" in words, ())


def write_marker(marker: Marker) -> str:
    """The comment of a marker; `parse_marker` reads it back."""
    if marker.kind == "choice":
        return f"# tunable: choice {', '.join(map(repr, marker.options))}"
    return f"# tunable: {marker.low}..{marker.high}{' log' if marker.log else ''} {marker.kind}"


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _options(text: str, where: str) -> tuple[Any, ...]:
    try:
        options = ast.literal_eval(f"[{text}]")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        options = None
    if not options or not all(isinstance(each, bool | int | float | str | None) for each in options):
        raise ConfigError(
            f"{text!r} is no list of options", where=where, hint='write # tunable: choice 1, 2, 4 or "fast", "small"'
        )
    return tuple(options)
