"""The Python of docs/approvals.md does what the page says, and its tables are the program's."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

from core.approvals import HIGH_FROM, MEDIUM_FROM
from core.campaign import APPROVAL_MODES, ApprovalPlan

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "approvals.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_page_shows() -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    [shown] = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert re.sub(r"a-[0-9a-f]{10}", "a-…", done.stdout) == shown


def test_the_modes_and_risks_of_the_page_are_the_programs() -> None:
    rows = re.findall(r"^\| `(\w+)`[^|]*\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert {mode: APPROVAL_MODES.get(word, word) for mode, word in rows} == {
        mode: mode for mode in get_args(ApprovalPlan.model_fields["mode"].annotation)
    }
    assert f"low below {MEDIUM_FROM}, high from {HIGH_FROM} on" in PAGE
