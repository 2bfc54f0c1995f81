"""Nasty answers of models, one file a case: what is read from each, what becomes of the files, what is refused why."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.code.apply import apply_changes
from agents.code.edits import parse_changes
from core.errors import PatchError

CASES = sorted((Path(__file__).parents[2] / "data" / "patches").glob("*.yaml"))


def test_there_are_cases() -> None:
    assert len(CASES) > 40


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_an_answer_does_what_is_expected(path: Path) -> None:
    case: dict[str, Any] = yaml.safe_load(path.read_text())
    expect = case["expect"]
    files, answer = {name: _ended(text, case) for name, text in case["files"].items()}, _ended(case["answer"], case)
    if "error" in expect:
        with pytest.raises(PatchError, match=expect["error"]):
            parse_changes(answer)
        return
    applied = apply_changes(files, parse_changes(answer), case.get("allowed"))
    assert applied.files == {name: _ended(text, case) for name, text in expect.get("files", {}).items()}
    assert [each.how for each in applied.placed] == expect.get("how", [])
    assert list(applied.deleted) == expect.get("deleted", [])
    patterns = expect.get("rejected", [])
    assert len(applied.rejected) == len(patterns), applied.rejected
    for each, pattern in zip(applied.rejected, patterns, strict=True):
        assert re.search(pattern, each.reason), each.reason
    assert applied.noop == expect.get("noop", False)
    assert list(applied.cosmetic) == expect.get("cosmetic", [])


def _ended(text: str, case: dict[str, Any]) -> str:
    return text.replace("\n", "\r\n") if case.get("crlf") else text
