"""Forks from Python: the example of the document, run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCUMENT = (Path(__file__).parents[2] / "docs" / "time.md").read_text("utf-8")


@pytest.mark.slow
def test_the_example_runs(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    (tmp_path / "example.py").write_text(f"{example}print(other.definition.budget.cycles, with_two.definition.name)\n")
    known = {**os.environ, "RATCHET_HOME": str(tmp_path / "home"), "RATCHET_EMBEDDING_MODEL": "hash"}
    done = subprocess.run(
        [sys.executable, "example.py"],
        cwd=tmp_path,
        env=known,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "['0', '1', '2']" in done.stdout
    assert done.stdout.splitlines()[-1] == "3 wave"
