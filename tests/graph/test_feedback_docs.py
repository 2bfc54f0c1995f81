"""The Python of the feedback documentation runs as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_examples_of_the_documentation_run() -> None:
    examples = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "feedback.md").read_text("utf-8"), re.DOTALL)
    assert examples
    for example in examples:
        done = subprocess.run(
            [sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "round 1: 0." in done.stdout
