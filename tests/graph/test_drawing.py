"""The drawing in the documentation is the one that the code draws now."""

from __future__ import annotations

import re
from pathlib import Path

from graph.build import drawing

PAGE = Path(__file__).parents[2] / "docs" / "cycle.md"


def test_the_documented_drawing_is_the_graph() -> None:
    [drawn] = re.findall(r"```mermaid\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert drawn == drawing(), "put what graph.build.drawing() answers into docs/cycle.md"
