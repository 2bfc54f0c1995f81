"""What has been found, given to its user: a diff, a branch of their repository, a push, or files that are replaced.

Nothing here touches the working tree, the index, HEAD or the stash of a repository, but `as_files`, which says so.
No hook, filter, monitor or signature program of the user's is run, and none of the repository.
"""

from __future__ import annotations

from runtime.delivery.branch import Commit, as_branch, make_commit, taken, tip
from runtime.delivery.comparison import differing
from runtime.delivery.diff import as_diff
from runtime.delivery.files import Replacement, as_files, changed_since, read_file, replace_files
from runtime.delivery.push import as_push, tip_at
from runtime.delivery.repository import Entry, Repository, find_repository

__all__ = [
    "Commit",
    "Entry",
    "Replacement",
    "Repository",
    "as_branch",
    "as_diff",
    "as_files",
    "as_push",
    "changed_since",
    "differing",
    "find_repository",
    "make_commit",
    "read_file",
    "replace_files",
    "taken",
    "tip",
    "tip_at",
]
