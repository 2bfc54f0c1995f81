"""The examples of the library's documentation and its notebook run as they stand."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = re.findall(r"```python\n(.*?)```", (DOCS / "library.md").read_text("utf-8"), re.DOTALL)
CELLS = json.loads((DOCS / "first-campaign.ipynb").read_text("utf-8"))["cells"]
NOTEBOOK = "\n".join("".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "program"), list(enumerate([*EXAMPLES, NOTEBOOK])))
def test_an_example_runs(number: int, program: str, tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(program)
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
    assert "verdict" in done.stdout
    assert "jobs:" in done.stdout


def test_there_are_examples_of_both() -> None:
    assert len(EXAMPLES) == 3
    assert "campaign.step()" in NOTEBOOK
