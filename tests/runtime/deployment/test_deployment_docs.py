"""The example of docs/deployment.md runs."""

from __future__ import annotations

import re
from pathlib import Path


def test_the_example_in_the_docs_runs() -> None:
    text = (Path(__file__).parents[3] / "docs/deployment.md").read_text("utf-8")
    [example] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(example, "docs/deployment.md", "exec"), {"__name__": "example"})
