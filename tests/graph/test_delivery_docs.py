"""What the documentation of delivery says exists, and its Python delivers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from service.words.commands import parser
from tests.graph.code_packages import commit_all, told_campaign, write_package
from tests.graph.repositories import branches

TEXT = (Path(__file__).parents[2] / "docs" / "delivery.md").read_text("utf-8")


def test_every_option_that_is_named_exists() -> None:
    commands: Any = next(action for action in parser()._actions if action.choices and "deliver" in action.choices)
    known = {option for action in commands.choices["deliver"]._actions for option in action.option_strings}
    assert set(re.findall(r"--[a-z][a-z-]*", TEXT)) <= known


def test_the_example_delivers(tmp_path: Path) -> None:
    campaign = write_package(tmp_path / "repo")
    commit_all(tmp_path / "repo")
    told = told_campaign(tmp_path / "home", campaign)
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    assert "# Candidate" in names["deliver"](tmp_path / "home", told.id)
    assert f"ratchet/{told.candidates[0]}" in branches(tmp_path / "repo")
