"""docs/first-five-minutes.txt is what docs/record_session.py records, but for campaign, figures and times."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import DEADLINE_S, ROOT, environment

pytestmark = [pytest.mark.xdist_group("service"), pytest.mark.slow]

LABELS = ("director", "proposers", "vote", "supervisor", "executor", "so far")


def shape(text: str) -> tuple[list[str], list[str]]:
    """The commands that were typed, and the rows of each block."""
    lines = text.splitlines()[1:]
    typed = [line[11:].split(" ")[0] for line in lines if re.match(r" *\d+\.\ds  > ", line)]
    rows = [m[1] for line in lines if (m := re.match(r" {9}    ([a-z ]{2,10}?)  +\S", line)) and m[1] in LABELS]
    return typed, rows


def test_the_recording_has_the_shape_of_the_one_in_docs(tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "recorded.txt"
    script = [sys.executable, str(ROOT / "docs" / "record_session.py"), str(tiny), str(out)]
    done = subprocess.run(
        [*script, "--guidance", "keep x below 0.5"],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S * 3,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    recorded, shown = out.read_text(), (ROOT / "docs" / "first-five-minutes.txt").read_text()
    typed, rows = shape(recorded)
    assert rows == [*LABELS, *LABELS]
    assert typed[4] == "keep"
    assert shape(shown) == (typed, rows)
    for text in (recorded, shown):
        assert text.isprintable() or set(filter(lambda c: not c.isprintable(), text)) == {"\n"}
        assert "error  " not in text
        assert "verdict" in text
        assert max(map(len, text.splitlines())) <= 120
    assert "g1" in recorded
