"""The examples of docs/improvement-telemetry.md do what they say."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from core.improvement import VARIABLES
from core.telemetry import parse_telemetry

TEXT = (Path(__file__).parents[3] / "docs" / "improvement-telemetry.md").read_text(encoding="utf-8")


def test_the_example_prints_what_is_written_under_it() -> None:
    [code] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    [told] = re.findall(r"\n```\n(n_plus_one .*?)```", TEXT, re.DOTALL)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "docs/improvement-telemetry.md", "exec"), {"__name__": "example"})
    assert out.getvalue() == told


def test_the_records_shown_are_records() -> None:
    [block] = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    kinds = [parse_telemetry(line).kind for line in block.splitlines()]
    assert kinds == ["metric", "log", "completion", "alarm", "deployment"]


def test_the_variables_named_are_variables() -> None:
    assert set(re.findall(r"`(CLOUDWATCH_[A-Z_]+)`", TEXT)) == {name for name in VARIABLES if "CLOUDWATCH" in name}
