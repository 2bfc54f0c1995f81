"""The example of a role that asks a model, as docs/extending.md has it, keeps its contract."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_example_in_the_docs_runs(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8").partition("## A role that asks")[2]
    [role, proof] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    [prompt] = re.findall(r"\n```\n(---\n.*?)```", text, re.DOTALL)
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "thrift.md").write_text(prompt, encoding="utf-8")
    (tmp_path / "test_thrift.py").write_text(f"{role}\n{proof}", encoding="utf-8")
    # a process of its own: the role's name stays out of this one's registry
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "2 passed" in told.stdout
