"""GitHub's own description of its API, and whether a request or an answer is what it says."""

from __future__ import annotations

import copy
import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from jsonschema import Draft202012Validator, FormatChecker

__all__ = ["example", "faults_of_answer", "faults_of_request", "route"]

FILE = Path(__file__).parents[1] / "data/github/api.github.com.json"


def route(method: str, path: str) -> str:
    """The path of the description that is meant; empty when there is none.  `{ref}` stands for several segments."""
    for template, operations in _description()["paths"].items():
        pattern = re.sub(r"\\{(\w+)\\}", lambda found: ".+" if found[1] == "ref" else "[^/]+", re.escape(template))
        if method.lower() in operations and re.fullmatch(pattern, path):
            return str(template)
    return ""


def faults_of_request(method: str, path: str, query: str, body: Any) -> list[str]:
    operation = _operation(method, path)
    if operation is None:
        return [f"{method} {path} is not described"]
    parameters = [_resolved(one) for one in operation.get("parameters", [])]
    known = {one["name"]: one for one in parameters if one["in"] == "query"}
    told = [f"query {name} is not described" for name, _ in parse_qsl(query) if name not in known]
    for name, text in parse_qsl(query):
        if name in known:
            value = int(text) if known[name]["schema"].get("type") == "integer" else text
            told += _faults(known[name]["schema"], value)
    if (described := operation.get("requestBody")) is not None:
        told += _faults(described["content"]["application/json"]["schema"], body)
    elif body is not None:
        told.append("a body is not described")
    return told


def faults_of_answer(method: str, path: str, status: int, body: Any) -> list[str]:
    operation = _operation(method, path)
    answers = {} if operation is None else operation["responses"]
    if str(status) not in answers:
        return [f"{method} {path} → {status} is not described"]
    return _faults(_resolved(answers[str(status)])["content"]["application/json"]["schema"], body)


def example(template: str, method: str, status: str) -> Any:
    """An answer of the description's own."""
    answer = _description()["paths"][template][method]["responses"][status]
    return copy.deepcopy(answer["content"]["application/json"]["example"])


@cache
def _description() -> Any:
    return _without_nullable(json.loads(FILE.read_text()))


def _without_nullable(node: Any) -> Any:
    """OpenAPI 3.0's `nullable` as JSON Schema says it."""
    if isinstance(node, list):
        return [_without_nullable(one) for one in node]
    if not isinstance(node, dict):
        return node
    node = {name: _without_nullable(one) for name, one in node.items()}
    if node.pop("nullable", False) is True:
        if "enum" in node:
            node["enum"] = [*node["enum"], None]
        if "type" not in node:
            return {"anyOf": [node, {"type": "null"}]}
        node["type"] = [node["type"], "null"]
    return node


def _operation(method: str, path: str) -> Any:
    template = route(method, path)
    return _description()["paths"][template][method.lower()] if template else None


def _resolved(node: Any) -> Any:
    while "$ref" in node:
        at = _description()
        for step in node["$ref"].removeprefix("#/").split("/"):
            at = at[step]
        node = at
    return node


_VALIDATORS: dict[int, Draft202012Validator] = {}
_JUDGED: dict[tuple[int, str], list[str]] = {}
"""By the identity of a part of the description, which lives as long as this module."""


def _faults(schema: Any, value: Any) -> list[str]:
    key = (id(schema), json.dumps(value, sort_keys=True))
    if key not in _JUDGED:
        if id(schema) not in _VALIDATORS:
            whole = {**schema, "components": _description()["components"]}
            _VALIDATORS[id(schema)] = Draft202012Validator(whole, format_checker=FormatChecker())
        found = _VALIDATORS[id(schema)].iter_errors(value)
        _JUDGED[key] = [f"{'.'.join(map(str, one.absolute_path))}: {one.message[:200]}" for one in found]
    return list(_JUDGED[key])
