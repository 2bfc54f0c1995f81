"""A change of code that is to leave as a pull request: files with reasons, under an id made from their content."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, field_validator, model_validator

from core.ids import content_hash
from core.records import Record, lies_below

__all__ = [
    "MOST_BYTES",
    "MOST_CHANGES",
    "ChangeType",
    "CodeChange",
    "Content",
    "PRProposal",
    "content_bytes",
    "git_blob_id",
    "proposal_id_of",
]

ChangeType = Literal["create", "update", "delete"]

MOST_PATH_CHARACTERS = 1024
MOST_CHANGES = 3_000
"""Files of one pull request that GitHub shows."""
MOST_BYTES = 25_000_000
"""Of all new contents: it all goes through memory, and a reviewer's eyes."""
_ID = re.compile(r"[0-9a-f]{12}")
_BRANCH = re.compile(r"(?![/.])(?!.*(?://|/\.|\.\.|@\{|\.lock(?:/|$)))[^\x00-\x20\x7f~^:?*\[\\]+(?<![/.])")
"""What git takes as the name of a branch (git-check-ref-format)."""


def _from_json(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"base64"}:
        try:
            return base64.b64decode(value["base64"], validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise ValueError("is not base64") from error
    return value


def _to_json(value: str | bytes | None) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


Content = Annotated[str | bytes, BeforeValidator(_from_json), PlainSerializer(_to_json, when_used="json")]
"""Of a file: text, written as UTF-8 and otherwise as it is, or bytes; in JSON, bytes are `{"base64": "…"}`."""


def content_bytes(content: str | bytes) -> bytes:
    """The file's bytes."""
    return content.encode() if isinstance(content, str) else content


def git_blob_id(content: str | bytes) -> str:
    """The name that git gives to a file of this content, 40 hexadecimal characters."""
    data = content_bytes(content)
    return hashlib.sha1(b"blob %d\x00%s" % (len(data), data), usedforsecurity=False).hexdigest()


class CodeChange(Record):
    """One file that is created, updated or deleted, and why.

    `file_path` is written with slashes, from the repository's root.  `original_content` None: not known; where it is
    known, a repository that has something else there refuses the change.  A deletion has no new content.
    """

    file_path: str = Field(min_length=1, max_length=MOST_PATH_CHARACTERS)
    original_content: Content | None = None
    new_content: Content = ""
    change_type: ChangeType
    rationale: str = ""

    @field_validator("file_path")
    @classmethod
    def _below_the_root(cls, path: str) -> str:
        parts = path.split("/")
        if not lies_below(path) or any(part in ("", ".") or part.casefold() == ".git" for part in parts):
            raise ValueError("is not a path from the repository's root, written with slashes and outside of .git")
        if any(ord(char) < 32 or 127 <= ord(char) < 160 for char in path):
            raise ValueError("holds a control character")
        return path

    @field_validator("file_path", "original_content", "new_content", "rationale")
    @classmethod
    def _can_be_written(cls, text: str | bytes | None) -> str | bytes | None:
        if isinstance(text, str):
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise ValueError(f"character {error.start} is half of a surrogate pair, which is no text") from error
        return text

    @model_validator(mode="after")
    def _of_its_type(self) -> CodeChange:
        if self.change_type == "create" and self.original_content is not None:
            raise ValueError("a file that is created has no original content")
        if self.change_type == "delete" and self.new_content:
            raise ValueError("a file that is deleted has no new content")
        known = self.change_type == "update" and self.original_content is not None
        if known and git_blob_id(self.original_content or "") == git_blob_id(self.new_content):
            raise ValueError("the new content is the original: nothing is updated")
        return self


class PRProposal(Record):
    """What a pull request is made of.  The same content proposed twice has the same id, and so the same branch.

    `created_at` is in seconds since the epoch, UTC, and dates the commit; it is no part of the id.
    """

    title: str = Field(min_length=1, max_length=256)
    body: str = Field(max_length=65_536)
    branch_name: str
    changes: tuple[CodeChange, ...] = Field(min_length=1, max_length=MOST_CHANGES)
    metadata: dict[str, Any] = Field(default={})
    created_at: float = Field(ge=0, lt=32_503_680_000, description="before the year 3000")
    proposal_id: str

    @field_validator("proposal_id")
    @classmethod
    def _is_an_id(cls, name: str) -> str:
        if not _ID.fullmatch(name):
            raise ValueError("is not 12 hexadecimal characters")
        return name

    @field_validator("title")
    @classmethod
    def _is_one_line(cls, title: str) -> str:
        if not title.strip() or any(ord(char) < 32 for char in title):
            raise ValueError("is not one line of text")
        return title

    @model_validator(mode="after")
    def _fits_together(self) -> PRProposal:
        if not _BRANCH.fullmatch(self.branch_name) or self.branch_name.startswith("-"):
            raise ValueError(f"branch_name {self.branch_name!r} is none that git takes")
        if self.proposal_id not in self.branch_name:  # how a repetition finds what an earlier try left
            raise ValueError(f"branch_name {self.branch_name!r} does not hold the proposal's id")
        if (size := sum(len(change.new_content) for change in self.changes)) > MOST_BYTES:
            raise ValueError(f"the new contents have {size:,} bytes, more than {MOST_BYTES:,}")
        paths = [change.file_path for change in self.changes]
        if len(set(paths)) < len(paths):
            twice = next(path for path in paths if paths.count(path) > 1)
            raise ValueError(f"{twice} is changed twice")
        kept = {change.file_path for change in self.changes if change.change_type != "delete"}
        for path in kept:
            steps = path.split("/")
            if inside := next((p for n in range(1, len(steps)) if (p := "/".join(steps[:n])) in kept), None):
                raise ValueError(f"{inside} cannot be a file and the folder of {path}")
        return self

    @property
    def commit_date(self) -> str:
        """ISO 8601 in UTC, whole seconds: a repeated commit is the same commit."""
        return datetime.fromtimestamp(int(self.created_at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def proposal_id_of(changes: tuple[CodeChange, ...], title: str, description: str) -> str:
    """12 hexadecimal characters of the SHA-256 of the content, whatever the order of the changes."""
    told = sorted(
        (
            change.file_path,
            change.change_type,
            "" if change.original_content is None else git_blob_id(change.original_content),
            git_blob_id(change.new_content),
            change.rationale,
        )
        for change in changes
    )
    return content_hash("pull request", title, description, told)[:12]
