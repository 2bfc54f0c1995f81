"""A change of files as somebody asked for it, before it is known whether it fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["FileChange", "Form", "Hunk", "Limits"]

Form = Literal["diff", "blocks", "whole"]
"""How it was written: a unified diff, SEARCH/REPLACE blocks, or whole files."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """Put the lines `after` where the lines `before` stand.  Lines are bare, without their ends.

    `line` is where a diff says `before` begins, counted from 1, None when it does not say; `heading` is the text behind
    its `@@`.  `final_newline` is set where it speaks of the end of the file.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    line: int | None = None
    heading: str = ""
    final_newline: bool | None = None


@dataclass(frozen=True, slots=True)
class FileChange:
    """What becomes of one file.

    edit     `hunks` change it; an empty `path` means the only file that may be changed
    create   it has `text`, and must not exist yet
    write    it has `text`, whether it existed or not
    delete   it goes; the lines that a diff removes must be all of it
    rename   `source` becomes `path`, changed by `hunks`

    `made_from` is the beginning of git's hash of the file that a diff was made from, if it says so.
    """

    path: str
    action: Literal["edit", "create", "write", "delete", "rename"]
    form: Form
    hunks: tuple[Hunk, ...] = ()
    text: str = ""
    source: str = ""
    made_from: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Against floods; sizes in characters."""

    answer: int = 2_000_000
    file: int = 1_000_000
    files: int = 64
    hunks: int = 200
