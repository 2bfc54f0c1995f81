"""Kinds of values, as far as a rewrite needs to know them, and what the builtins do with them.

A kind is a small type: `list` of `str`, `dict` from `str` to `int`. It is *sure* when it follows from the code alone,
and not sure when an annotation says so: annotations are taken at their word, and the site's note says that.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

__all__ = [
    "ANY_STR_METHODS",
    "BYTES",
    "CONTAINERS",
    "FLOAT",
    "IMMUTABLE",
    "INT",
    "READING",
    "STR",
    "STR_RESULTS",
    "Kind",
    "annotated",
    "is_hashable",
    "is_immutable",
    "iterated",
]


@dataclass(frozen=True)
class Kind:
    """`item` is what iterating gives (the keys of a dict); `value` what a dict maps to; `items` parts of a tuple."""

    name: str
    item: Kind | None = None
    value: Kind | None = None
    items: tuple[Kind | None, ...] | None = None
    sure: bool = field(default=True, compare=False)


STR, BYTES, INT, FLOAT = Kind("str"), Kind("bytes"), Kind("int"), Kind("float")
IMMUTABLE = frozenset({"str", "bytes", "int", "float", "bool", "complex", "none", "range", "pattern", "match"})
CONTAINERS = frozenset({"list", "dict", "set", "frozenset", "tuple", "deque", "counter", "defaultdict"})

READING: dict[str, frozenset[str]] = {
    "list": frozenset({"index", "count", "copy", "__contains__", "__getitem__", "__len__"}),
    "deque": frozenset({"index", "count", "copy"}),
    "tuple": frozenset({"index", "count"}),
    "dict": frozenset({"get", "keys", "values", "items", "copy"}),
    "counter": frozenset({"get", "keys", "values", "items", "copy", "most_common", "elements", "total"}),
    "defaultdict": frozenset({"get", "keys", "values", "items", "copy"}),
    "set": frozenset(
        ["copy", "difference", "intersection", "isdisjoint", "issubset", "issuperset", "symmetric_difference", "union"]
    ),
}  # fmt: skip
READING["frozenset"] = READING["set"]
"""Methods that leave the object as it is."""

STR_RESULTS: dict[str, Kind] = {
    **dict.fromkeys(
        [
            "lower", "upper", "strip", "lstrip", "rstrip", "title", "capitalize", "casefold", "swapcase", "replace",
            "join",
            "format", "center", "ljust", "rjust", "zfill", "expandtabs", "translate", "removeprefix", "removesuffix"
        ],
        STR,
    ),
    **dict.fromkeys(["split", "rsplit", "splitlines"], Kind("list", STR)),
    **dict.fromkeys(["partition", "rpartition"], Kind("tuple", STR, items=(STR, STR, STR))),
    **dict.fromkeys(["find", "rfind", "index", "rindex", "count"], INT),
    **dict.fromkeys(
        [
            "startswith", "endswith", "isalpha", "isdigit", "isalnum", "isspace", "isupper", "islower", "istitle",
            "isnumeric", "isdecimal", "isidentifier", "isprintable", "isascii"
        ],
        Kind("bool"),
    ),
    "encode": BYTES,
}  # fmt: skip
"""What the methods of `str` return."""
ANY_STR_METHODS = frozenset(STR_RESULTS) - {
    "index",
    "count",
    "format",
    "translate",
    "encode",
    "replace",
    "join",
    "find",
}
"""Methods that only text has (`bytes` aside): whoever has them is text."""

_NAMES = {
    **{name: Kind(name, sure=False) for name in ("int", "float", "bool", "bytes", "complex")},
    **{name: Kind(name, sure=False) for name in ("list", "dict", "set", "frozenset", "tuple", "deque")},
    **{name: Kind(name.lower(), sure=False) for name in ("List", "Dict", "Set", "Tuple", "FrozenSet")},
    "str": Kind("str", sure=False),
    "Counter": Kind("counter", value=Kind("int", sure=False), sure=False),
    "defaultdict": Kind("defaultdict", sure=False),
    "Sequence": Kind("sequence", sure=False),
    "Iterable": Kind("iterable", sure=False),
    "Iterator": Kind("iterator", sure=False),
    "Mapping": Kind("mapping", sure=False),
    "Collection": Kind("collection", sure=False),
    "date": Kind("opaque", sure=False),
    "datetime": Kind("opaque", sure=False),
    "Path": Kind("opaque", sure=False),
    "Decimal": Kind("opaque", sure=False),
}
"""`opaque` values are hashable and never change; nothing else is known of them."""
_OF_RE = {"Pattern": Kind("pattern", sure=False), "Match": Kind("match", sure=False)}
"""Only as `re.Match`: the bare words are too often somebody's own class."""


def annotated(annotation: ast.expr | None) -> Kind | None:
    """The kind an annotation names; None when it names none we know. `X | None` is the kind `optional`."""
    if isinstance(annotation, ast.Constant):
        if annotation.value is None:
            return Kind("none", sure=False)
        if isinstance(annotation.value, str):
            try:
                return annotated(ast.parse(annotation.value, mode="eval").body)
            except (SyntaxError, ValueError):
                return None
        return None
    if isinstance(annotation, ast.Attribute):
        return _NAMES.get(annotation.attr) or _OF_RE.get(annotation.attr)
    if isinstance(annotation, ast.Name):
        return _NAMES.get(annotation.id)
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return _union([annotated(annotation.left), annotated(annotation.right)])
    if isinstance(annotation, ast.Subscript):
        return _subscripted(annotation)
    return None


def _subscripted(annotation: ast.Subscript) -> Kind | None:
    head = annotation.value
    word = head.attr if isinstance(head, ast.Attribute) else head.id if isinstance(head, ast.Name) else ""
    inner = annotation.slice
    parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if word == "Optional":
        return _union([annotated(inner), Kind("none")])
    if word == "Union":
        return _union([annotated(part) for part in parts])
    if word in ("Final", "ClassVar", "Annotated"):
        return annotated(parts[0])
    base = _NAMES.get(word)
    if base is None:
        return None
    if base.name in ("dict", "defaultdict", "mapping") and len(parts) == 2:
        return Kind(base.name, annotated(parts[0]), annotated(parts[1]), sure=False)
    if base.name == "counter":
        return Kind("counter", annotated(parts[0]), Kind("int", sure=False), sure=False)
    if base.name == "tuple":
        if len(parts) == 2 and isinstance(parts[1], ast.Constant) and parts[1].value is ...:
            return Kind("tuple", annotated(parts[0]), sure=False)
        kinds = tuple(annotated(part) for part in parts)
        return Kind("tuple", kinds[0] if len(set(kinds)) == 1 else None, items=kinds, sure=False)
    return Kind(base.name, annotated(parts[0]), sure=False)


def _union(members: list[Kind | None]) -> Kind | None:
    known = [member for member in members if member is not None]
    if len(known) < len(members):
        return None
    if any(member.name == "none" for member in known):
        rest = [member for member in known if member.name != "none"]
        return Kind("optional", rest[0] if len(rest) == 1 else None, sure=False) if rest else Kind("none", sure=False)
    return known[0] if all(member == known[0] for member in known) else None


def is_hashable(kind: Kind | None) -> bool:
    """Whether every value of the kind can be hashed."""
    if kind is None:
        return False
    if kind.name == "optional":
        return is_hashable(kind.item)
    if kind.name == "tuple":
        return all(map(is_hashable, kind.items)) if kind.items is not None else is_hashable(kind.item)
    return kind.name in IMMUTABLE or kind.name in ("frozenset", "opaque")


def is_immutable(kind: Kind | None) -> bool:
    """Whether no value of the kind can change, down to its parts."""
    return is_hashable(kind) and (
        kind is None or kind.name != "frozenset" or kind.item is None or is_hashable(kind.item)
    )


def iterated(kind: Kind | None) -> Kind | None:
    """What iterating over a value of this kind gives."""
    if kind is None:
        return None
    if kind.name == "str":
        return Kind("str", sure=kind.sure)
    if kind.name == "bytes":
        return Kind("int", sure=kind.sure)
    if kind.name == "file":
        return STR
    if kind.name in ("optional", "opaque", "match"):
        return None
    return kind.item
