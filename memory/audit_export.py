"""The audit as a file: JSON lines, which can be verified without us, or CSV, for people and tables."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from core.csv_text import csv_line
from core.errors import StorageError
from core.ids import canonical
from memory.audit import AuditEntry

__all__ = ["AuditFormat", "export_audit", "exported_lines"]

AuditFormat = Literal["jsonl", "csv"]
CSV_COLUMNS = (
    "seq", "at", "action", "decision", "risk", "rule", "reason", "actor", "route", "tenant", "parts", "context",
    "previous", "hash",
)  # fmt: skip


def export_audit(entries: Iterable[AuditEntry], path: Path, form: AuditFormat) -> int:
    """Write the entries to `path` (0600), whole or not at all; answers how many.  Raises StorageError."""
    name, count = "", 0
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            for count, line in enumerate(exported_lines(entries, form), start=1 if form == "jsonl" else 0):  # noqa: B007
                file.write(line)
        Path(name).replace(path)
    except OSError as error:
        raise StorageError(
            f"cannot write the audit: {error.strerror}", where=str(path), hint="is there such a folder, and room in it?"
        ) from error
    finally:
        if name:
            Path(name).unlink(missing_ok=True)
    return count


def exported_lines(entries: Iterable[AuditEntry], form: AuditFormat) -> Iterator[str]:
    """The lines of the file, with their ends; a CSV begins with its heads.

    A JSON line without `hash`, as canonical JSON (sorted keys, no spaces, UTF-8), is what was hashed.
    """
    if form == "csv":
        yield csv_line(CSV_COLUMNS)
    for entry in entries:
        if form == "jsonl":
            yield canonical({**asdict(entry), "version": 1}) + "\n"
        else:
            told = asdict(entry)
            yield csv_line([told[name] for name in CSV_COLUMNS])
