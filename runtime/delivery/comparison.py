"""A commit beside the base of a campaign: which other files are not those that were measured."""

from __future__ import annotations

import hashlib
from collections.abc import Container

from runtime.delivery.repository import Repository
from runtime.workspaces import Base

__all__ = ["differing"]


def differing(repository: Repository, commit: str, base: Base, left_out: Container[str]) -> tuple[str, ...]:
    """Files of the base, but for those left out, that the commit has otherwise or not at all; sorted.

    Line ends that were made `\\r\\n` at checkout are no difference.
    """
    there = repository.all_entries(commit)
    hashed = hashlib.sha1 if len(commit) == 40 else hashlib.sha256  # the repository's own choice
    told = []
    for path in sorted(path for path in base.hashes if path not in left_out):
        data = (base.tree / path).read_bytes()
        same = (data, data.replace(b"\r\n", b"\n"))
        ids = [hashed(b"blob %d\0" % len(one) + one).hexdigest() for one in same]
        if path not in there or there[path].oid not in ids:
            told.append(path)
    return tuple(told)
