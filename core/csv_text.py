"""CSV that a spreadsheet shows as it is: text that it would compute is quoted with an apostrophe.

Source: OWASP, CSV Injection.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable

__all__ = ["csv_cell", "csv_line"]

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet compute a cell instead of showing it."""


def csv_cell(value: object) -> object:
    """The value for one cell: numbers as they are, mappings and lists as JSON, nothing for None."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict | list | tuple) else value
    return f"'{text}" if isinstance(text, str) and text.startswith(FORMULA) else text


def csv_line(cells: Iterable[object]) -> str:
    """One line with its end; the cells are made safe."""
    written = io.StringIO()
    csv.writer(written).writerow([csv_cell(cell) for cell in cells])
    return written.getvalue()
