"""What a candidate's files become where the user's own files have gone on since the base was copied.

A file that is still the base's becomes the candidate's; one that is the candidate's already is left; any other is
merged three ways.  What both changed differently is a conflict, and then nothing lands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agents.code.merge import merge
from core.errors import DeliveryError

__all__ = ["Landing", "land"]

SHOWN = 8


@dataclass(frozen=True)
class Landing:
    """`files`: what must be written, None for a file that goes; `merged`: which of them are no longer the candidate's
    own text, and so were never measured."""

    files: dict[str, bytes | None]
    merged: tuple[str, ...]


def land(
    base: Mapping[str, str], changed: Mapping[str, str | None], there: Mapping[str, bytes | None], where: str
) -> Landing:
    """`changed` by path as the candidate has it, `there` as it stands now (None or left out: no file).

    Where line ends are stored otherwise (`\\n` for a base that was checked out with `\\r\\n`), they stay as they are
    stored.  Raises DeliveryError with the conflicts.
    """
    old: dict[str, str] = {}
    ours: dict[str, str] = {}
    theirs: dict[str, str] = {}
    faults: list[str] = []
    for path in changed:
        data = there.get(path)
        try:
            text = None if data is None else data.decode("utf-8")
        except UnicodeDecodeError:
            faults.append(f"{path} (no text any more)")
            continue
        if text is None and path in base and changed[path] is not None:
            faults.append(f"{path} (not there)")
        for side, value in ((old, base.get(path)), (ours, changed[path]), (theirs, text)):
            if value is not None:
                side[path] = _ends_of(text, value)
    merged = merge(old, ours, theirs)
    known = {fault.partition(" (")[0] for fault in faults}
    faults += [f"{c.path} ({c.where})" for c in merged.conflicts if c.path not in known]
    if faults:
        more = f" and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        raise DeliveryError(
            f"{len(faults)} {'place was' if len(faults) == 1 else 'places were'} changed since the campaign began, and "
            f"by the candidate too: {', '.join(faults[:SHOWN])}{more}",
            where=where,
            hint="nothing was changed. Deliver on the commit that the campaign began with (--branch --onto COMMIT) and "
            "merge that, or take the diff: --diff FILE",
        )
    files = {path: merged.files.get(path) for path in changed if merged.files.get(path) != theirs.get(path)}
    return Landing(
        {path: None if text is None else text.encode("utf-8") for path, text in files.items()},
        tuple(sorted(path for path, text in files.items() if text != ours.get(path))),
    )


def _ends_of(there: str | None, text: str) -> str:
    """`text` with the line ends of what is there, where one has only `\\r\\n` and the other only `\\n`."""
    if there is None or "\n" not in there or "\n" not in text:
        return text
    if "\r" not in there and text.count("\r") == text.count("\r\n") == text.count("\n"):
        return text.replace("\r\n", "\n")
    if "\r" not in text and there.count("\r") == there.count("\r\n") == there.count("\n"):
        return text.replace("\n", "\r\n")
    return text
