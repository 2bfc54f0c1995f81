"""Git's name for the content of a file, by which a diff tells what it was made from."""

from __future__ import annotations

import hashlib

__all__ = ["NO_BLOB", "blob_id", "is_blob"]

NO_BLOB = "0" * 40
"""Stands for a file that is not there."""
SHORTEST = 7


def blob_id(text: str) -> str:
    """SHA-1 over git's header and the text in UTF-8, 40 hexadecimal digits."""
    content = text.encode("utf-8", "surrogatepass")
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()


def is_blob(text: str, beginning: str) -> bool:
    """Whether the text is what a diff names by the first digits of its blob; False for too few digits."""
    return len(beginning) >= SHORTEST and blob_id(text).startswith(beginning)
