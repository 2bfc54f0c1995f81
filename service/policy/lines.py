"""Strict YAML that remembers lines: no aliases, no tags, no key twice, no document of more than a bounded size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from core.errors import ConfigError

__all__ = ["MAX_SIZE_BYTES", "Lines", "read_yaml"]

MAX_SIZE_BYTES = 100_000
"""A few hundred rules; more than anybody can oversee."""
MAX_DEPTH = 12
Path = tuple[str | int, ...]
SCALARS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null"))


@dataclass(frozen=True)
class Lines:
    """Where each key and item of a document stands."""

    by_path: dict[Path, int]

    def of(self, path: Path) -> int:
        """The line (from 1) of `path`, or of the nearest thing around it that stands in the file."""
        while path and path not in self.by_path:
            path = path[:-1]
        return self.by_path.get(path, 1)


def read_yaml(raw: bytes, where: str) -> tuple[Any, Lines]:
    """The data of one document, and the lines of its parts.  Raises ConfigError that names the line."""
    if len(raw) > MAX_SIZE_BYTES:
        raise ConfigError(f"the file is too long: at most {MAX_SIZE_BYTES:,} bytes are read", where=where)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        number = raw[: error.start].count(b"\n") + 1
        raise ConfigError("this is not UTF-8 text", where=f"{where}, line {number}") from error
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise ConfigError("the file is empty", where=where)
        reader = _Reader(loader)
        return reader.value(node, ()), Lines(reader.lines)
    except RecursionError as error:
        raise ConfigError("it is nested too deeply", where=where) from error
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"this is not YAML: {problem}", where=f"{where}{line}") from error
    finally:
        if loader is not None:
            loader.dispose()


class _Loader(yaml.SafeLoader):
    """Safe, and without aliases: a few lines of them expand to gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not read", event.start_mark)
        return super().compose_node(parent, index)


class _Reader:
    """Data from nodes; `lines` fills on the way."""

    def __init__(self, loader: _Loader) -> None:
        self._loader = loader
        self.lines: dict[Path, int] = {}

    def value(self, node: Any, path: Path) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if len(path) > MAX_DEPTH:
            raise _fault("it is nested too deeply", node)
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self.value(one, (*path, number)) for number, one in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.tag in SCALARS:
            try:
                return self._loader.construct_object(node)
            except (ValueError, KeyError) as error:
                raise _fault(f"{node.value[:60]!r} cannot be read", node) from error
        raise _fault(f"{node.tag.rpartition(':')[2]!r} is not read here; put a text in quotes", node)

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                raise _fault("a key is a word", key)
            if key.value in told:
                raise _fault(f"the key {key.value!r} stands twice", key)
            self.lines[(*path, key.value)] = key.start_mark.line + 1
            told[key.value] = self.value(value, (*path, key.value))
        return told


def _fault(problem: str, node: Any) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
