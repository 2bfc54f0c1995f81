"""A valid answer for any JSON schema that pydantic writes, as small as it can be."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

__all__ = ["Decide", "answer_for"]

Decide = Callable[[str, dict[str, Any]], Any]
"""(name of the field, its schema) → the value, or None to leave it to the schema."""


def answer_for(schema: dict[str, Any], decide: Decide | None = None, *, all_fields: bool = False) -> Any:
    """A value that `schema` allows.  Required fields only, or `all_fields`; `decide` may give the value of any."""
    return _Answers(schema, decide or (lambda name, part: None), all_fields).value("", schema, 0)


class _Answers:
    def __init__(self, root: dict[str, Any], decide: Decide, all_fields: bool) -> None:
        self._root, self._decide, self._all = root, decide, all_fields

    def value(self, name: str, schema: dict[str, Any], depth: int) -> Any:
        schema = self._resolved(schema)
        if name and (decided := self._decide(name, schema)) is not None:
            return decided
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        for several in ("anyOf", "oneOf"):
            if several in schema:
                # where it may be null, null ends a recursion
                options = [self._resolved(one) for one in schema[several]]
                nulls = [one for one in options if one.get("type") == "null"]
                rest = [one for one in options if one.get("type") != "null"]
                chosen = nulls if nulls and (depth > 6 or not rest) else rest
                return self.value(name, chosen[0], depth + 1)
        if "default" in schema and depth > 0 and schema["default"] is not None and not self._all:
            return schema["default"]
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), "null")
        made: Any = getattr(self, f"_{kind}")(name, schema, depth)
        return made

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        for _ in range(20):
            if "$ref" in schema:
                target: Any = self._root
                for part in schema["$ref"].removeprefix("#/").split("/"):
                    target = target[part.replace("~1", "/").replace("~0", "~")]
                schema = {**target, **{k: v for k, v in schema.items() if k != "$ref"}}
            elif "allOf" in schema:
                merged: dict[str, Any] = {k: v for k, v in schema.items() if k != "allOf"}
                for one in schema["allOf"]:
                    merged = {**self._resolved(one), **merged}
                schema = merged
            else:
                return schema
        raise ValueError("the schema refers to itself")

    def _object(self, name: str, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        wanted = schema.get("required", ())
        fields = schema.get("properties", {})
        made = {
            field: self.value(field, part, depth + 1)
            for field, part in fields.items()
            if field in wanted or (self._all and depth < 6)
        }
        for index in range(len(made), int(schema.get("minProperties", 0))):
            extra = schema.get("additionalProperties")
            made[f"key{index}"] = self.value(f"key{index}", extra if isinstance(extra, dict) else {}, depth + 1)
        return made

    def _array(self, name: str, schema: dict[str, Any], depth: int) -> list[Any]:
        fixed = [self.value(name, part, depth + 1) for part in schema.get("prefixItems", ())]
        least = max(int(schema.get("minItems", 0)), len(fixed), 1 if self._all and depth < 6 else 0)
        least = min(least, int(schema.get("maxItems", least)))
        items = schema.get("items")
        part = items if isinstance(items, dict) else {}
        made = [*fixed, *(self.value(name, part, depth + 1) for _ in range(least - len(fixed)))]
        if schema.get("uniqueItems"):
            made = [_distinct(one, index) for index, one in enumerate(made)]
        return made

    def _string(self, name: str, schema: dict[str, Any], depth: int) -> str:
        known = {
            "date": "2026-01-01",
            "date-time": "2026-01-01T00:00:00Z",
            "uuid": "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
        }
        text = known.get(schema.get("format", ""), name.replace("_", " ") or "text")
        text = text.ljust(int(schema.get("minLength", 0)), ".")
        return text[: int(schema.get("maxLength", len(text)))]

    def _number(self, name: str, schema: dict[str, Any], depth: int) -> float:
        low, high = _bounds(schema, 1e-6)
        if low is not None and high is not None:
            value = (low + high) / 2
        else:
            value = low if low is not None else min(high, 0.0) if high is not None else 0.0
        step = schema.get("multipleOf")
        return float(math.ceil(value / step) * step if step else value)

    def _integer(self, name: str, schema: dict[str, Any], depth: int) -> int:
        low, high = _bounds(schema, 1)
        value = math.ceil(low) if low is not None else math.floor(min(high, 0)) if high is not None else 0
        step = int(schema.get("multipleOf", 1))
        return math.ceil(value / step) * step

    def _boolean(self, name: str, schema: dict[str, Any], depth: int) -> bool:
        return True

    def _null(self, name: str, schema: dict[str, Any], depth: int) -> None:
        return None


def _distinct(value: Any, index: int) -> Any:
    if isinstance(value, str):
        return f"{value}{index or ''}"
    return value + index if isinstance(value, int | float) else value


def _bounds(schema: dict[str, Any], step: float) -> tuple[float | None, float | None]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if "exclusiveMinimum" in schema:
        low = schema["exclusiveMinimum"] + step
    if "exclusiveMaximum" in schema:
        high = schema["exclusiveMaximum"] - step
    return low, high
