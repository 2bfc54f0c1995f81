"""The reply of a model: fenced blocks headed `python:path/to/file.py`, each the whole new text of a file."""

from __future__ import annotations

from agents.code.apply import apply_changes
from agents.code.changes import Limits
from agents.code.edits import parse_changes
from agents.code.paths import path_fault
from agents.code.suspicion import suspicions
from agents.live.generation.service import ServiceCode
from core.errors import PatchError
from runtime.checks.interface import interface_faults

__all__ = ["FORM", "read_reply"]

FORM = "give each changed file whole, in a fenced block headed ```python:path/to/file.py"
LIMITS = Limits(answer=200_000, file=100_000, files=8)


def read_reply(text: str, service: ServiceCode) -> dict[str, str]:
    """Path → new text of the files that the reply changes, at least one.

    Raises PatchError for a reply without a block, with half of one, with two for one file or with too much; for a path
    that leads out of the service or may not be changed; for a file that does not parse, leaves code out, takes
    away what others may use, or newly reaches for what no improvement needs; and when nothing is changed.
    """
    changes = parse_changes(text, LIMITS)
    if any(change.form != "whole" for change in changes):
        raise PatchError("the files are not given whole", where="the answer", hint=FORM)
    for change in changes:
        if why := path_fault(change.path):
            raise PatchError(why, where=change.path, hint=FORM)
        if not change.path.endswith(".py") or not service.may_change(change.path):
            raise PatchError(f"{change.path} may not be changed", where="the answer", hint=f"only {_some(service)}")
    applied = apply_changes(service.files, changes, service.may_change)
    if applied.rejected:
        first = applied.rejected[0]
        raise PatchError(first.reason, where=first.path, hint=FORM)
    if applied.noop:
        raise PatchError("nothing is changed but comments or layout", where="the answer")
    if faults := interface_faults(service.files, applied.files):
        raise PatchError(faults[0].text, where=faults[0].path, hint="whoever calls it must not need to change")
    if found := suspicions(service.files, applied.files):
        raise PatchError(f"not allowed: {'; '.join(found)}", where="the answer", hint="leave that out")
    return dict(applied.files)


def _some(service: ServiceCode) -> str:
    return ", ".join(service.changeable[:10]) or "no file at all"
