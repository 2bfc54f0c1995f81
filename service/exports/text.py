"""A campaign's rows as CSV or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from core.csv_text import csv_line
from service.exports.rows import Row, What, flat
from service.output import finite

__all__ = ["csv_text", "json_text"]

EVENT = ("seq", "at", "campaign_id", "cycle", "type")
"""Columns of an event; the rest of it, which each type has its own of, is one cell of JSON."""


def csv_text(what: What, rows: Iterable[Row]) -> Iterator[str]:
    """The lines, heads first; what a spreadsheet would compute is quoted (`core.csv_text`)."""
    columns, cells = flat(map(_short, rows) if what == "events" else rows)
    yield csv_line(columns)
    yield from map(csv_line, cells)


def json_text(what: What, rows: Iterable[Row]) -> Iterator[str]:
    """One array, an object a line; of events JSON lines.  NaN and infinities are null."""
    if what == "events":
        yield from (f"{_json(row)}\n" for row in rows)
        return
    before = "[\n"
    for row in rows:
        yield f"{before}{_json(row)}"
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _short(event: Row) -> Row:
    return {name: event[name] for name in EVENT} | {"told": {k: v for k, v in event.items() if k not in EVENT}}


def _json(value: Any) -> str:
    return json.dumps(finite(value), ensure_ascii=False, allow_nan=False)
