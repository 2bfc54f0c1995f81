"""The table of docs/sandbox.md is what the code says."""

from __future__ import annotations

from pathlib import Path

from runtime.sandbox import PROPERTIES, Level
from runtime.sandbox.isolation import means

DOCUMENT = Path(__file__).parents[3] / "docs/sandbox.md"
LEVELS: tuple[Level, ...] = (3, 2, 1)


def test_the_table_of_levels_is_up_to_date() -> None:
    rows = []
    for name in PROPERTIES:
        facts = {"user": "own", "tree": "subreaper", "landlock": 6}
        cells = [
            means(level, {**facts, "processes_limited": level == 3})[name].removesuffix(" (ABI 6)") for level in LEVELS
        ]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    assert "\n".join(rows) in DOCUMENT.read_text()
