"""Defects and issues as SARIF 2.1.0 (OASIS, 2020), for code scanning of forges and editors."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from agents.feedback.defects import Defect
from agents.feedback.records import Issue

__all__ = ["sarif"]

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

Found = tuple[Path, Iterable[Defect], Iterable[Issue]]


def sarif(found: Iterable[Found]) -> dict[str, Any]:
    """One run of the tool.  A defect of a docstring is a warning, an issue of the comments a note."""
    results: list[dict[str, Any]] = []
    for path, defects, issues in found:
        results += [_result(path, "docstring", "warning", each, each.scope) for each in defects]
        results += [_result(path, "comment", "note", each, each.scope) for each in issues]
    rules = sorted({result["ruleId"] for result in results})
    for result in results:
        result["ruleIndex"] = rules.index(result["ruleId"])
    driver = {
        "name": "ratchet feedback",
        "rules": [
            {"id": rule, "shortDescription": {"text": rule.replace("/", ": ").replace("_", " ")}} for rule in rules
        ],
    }
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _result(path: Path, group: str, level: str, found: Defect | Issue, scope: str) -> dict[str, Any]:
    place: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": _uri(path)}, "region": {"startLine": max(1, found.line)}}
    }
    if scope:
        place["logicalLocations"] = [{"fullyQualifiedName": scope}]
    return {
        "ruleId": f"{group}/{found.kind}",
        "level": level,
        "message": {"text": f"{found.message}. Evidence: {found.evidence}. Fix: {found.fix}."},
        "locations": [place],
    }


def _uri(path: Path) -> str:
    """Relative to where the command runs when the file lies below, else absolute."""
    relative = Path(os.path.relpath(path.resolve()))
    return path.resolve().as_uri() if relative.parts[:1] == ("..",) else quote(relative.as_posix())
