"""A commit on a new branch, made beside everything that is checked out: objects, an index of a moment, one ref.

The same commit is made by the same call, however often: author and dates are part of what is asked for.  A branch is
made, never moved.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import DeliveryError
from core.records import lies_below
from runtime.delivery.git import git, last_line, run_git, text_of
from runtime.delivery.repository import Repository

__all__ = ["Commit", "as_branch", "check_name", "make_commit", "taken", "tip"]


@dataclass(frozen=True)
class Commit:
    """What is to be committed: `changed` by path below the repository's folder, None for a file that goes.

    `at` is in seconds since the epoch, UTC.
    """

    parent: str
    changed: Mapping[str, bytes | None]
    message: str
    at: int
    author: str = "Ratchet"
    address: str = "ratchet@localhost"


def make_commit(repository: Repository, commit: Commit) -> str:
    """Write the commit's objects, and answer its id; no ref names it yet.

    A file keeps its mode; a new one is 100644.  Raises DeliveryError, also for a path where no plain file can stand.
    """
    outside = [path for path in commit.changed if not lies_below(path)]
    before = {} if outside else repository.entries(commit.parent, commit.changed)
    for path in outside or (path for path, entry in before.items() if not entry.is_file):
        hint = "take the diff: --diff FILE"
        raise DeliveryError(f"{path} is no plain file there", where=commit.parent, hint=hint)
    lines = []
    for path, content in commit.changed.items():
        mode, oid = "0", "0" * len(commit.parent)
        if content is not None:
            oid = text_of(git(repository.top, "hash-object", "-w", "--no-filters", "--stdin", stdin=content))
            mode = before[path].mode if path in before else "100644"
        lines.append(f"{mode} {oid}\t{repository.prefix}{path}\0")
    with tempfile.TemporaryDirectory(prefix="ratchet-index-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git(repository.top, "read-tree", commit.parent, environment=index)
        staged = "".join(lines).encode("utf-8", "surrogateescape")
        git(repository.top, "update-index", "--add", "-z", "--index-info", stdin=staged, environment=index)
        tree = text_of(git(repository.top, "write-tree", environment=index))
    words = ("commit-tree", tree, "-p", commit.parent)
    return text_of(git(repository.top, *words, stdin=commit.message.encode(), environment=_who(commit)))


def tip(repository: Repository, name: str) -> str:
    """The commit that a branch is at; "" where there is none."""
    return text_of(run_git(repository.top, "rev-parse", "--verify", "--quiet", f"refs/heads/{name}").stdout)


def as_branch(repository: Repository, name: str, commit: str) -> bool:
    """Let a new branch name the commit; False when it does already.

    Raises DeliveryError when the name is none, when the branch is elsewhere, and when it is what HEAD waits for.
    """
    check_name(repository, name)
    ref = f"refs/heads/{name}"
    for _ in range(2):
        there = tip(repository, name)
        if there == commit:
            return False
        if there:
            raise taken(name, str(repository.top), there)
        if repository.branch_checked_out() == ref:
            raise DeliveryError(f"{name} is checked out, and not yet born", where=str(repository.top))
        # the empty old value: only where there is none
        done = run_git(
            repository.top,
            *("update-ref", "--create-reflog", "-m", "delivered by ratchet", ref, commit, "0" * len(commit)),
            environment=_WHO,
        )
        if done.returncode == 0:
            return True
    raise DeliveryError(
        f"cannot make the branch {name}: {last_line(done)}",
        where=str(repository.top),
        hint="a branch of the name's first part stands in its way, or a lock file is left: give another --branch NAME",
    )


def taken(name: str, where: str, commit: str) -> DeliveryError:
    """The error for a branch that is something else."""
    return DeliveryError(
        f"there is a branch {name} already, and it is something else",
        where=f"{where}, at {commit[:12]}",
        hint="give the new one another name (--branch NAME), or rename or delete the old one",
    )


def check_name(repository: Repository, name: str) -> None:
    """Raises DeliveryError for what is no name of a branch."""
    if run_git(repository.top, "check-ref-format", f"refs/heads/{name}").returncode != 0 or name.startswith("-"):
        raise DeliveryError(f"{name!r} is no name for a branch", where="--branch", hint="such as ratchet/faster")


_WHO = {
    "GIT_AUTHOR_NAME": "Ratchet",
    "GIT_AUTHOR_EMAIL": "ratchet@localhost",
    "GIT_COMMITTER_NAME": "Ratchet",
    "GIT_COMMITTER_EMAIL": "ratchet@localhost",
}


def _who(commit: Commit) -> dict[str, str]:
    date = f"{commit.at} +0000"
    return {
        "GIT_AUTHOR_NAME": commit.author,
        "GIT_AUTHOR_EMAIL": commit.address,
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_NAME": commit.author,
        "GIT_COMMITTER_EMAIL": commit.address,
        "GIT_COMMITTER_DATE": date,
    }
