"""A commit pushed as a new branch of another repository: by the name of a remote, by path, or by URL.

The user's own git configuration finds the credentials; hooks of this repository are not run.  What the other
repository runs when it is pushed to is its owner's business.
"""

from __future__ import annotations

from core.errors import DeliveryError
from core.scrub import scrubbed
from runtime.delivery.branch import check_name, taken
from runtime.delivery.git import last_line, run_git
from runtime.delivery.repository import Repository

__all__ = ["as_push", "tip_at"]

PUSH_TIMEOUT_S = 300.0


def tip_at(repository: Repository, remote: str, name: str) -> str:
    """The commit that a branch of the remote is at; "" where there is none.  Raises DeliveryError."""
    ref = f"refs/heads/{name}"
    asked = ("ls-remote", "--quiet", "--", _safe(remote), ref)
    done = run_git(repository.top, *asked, reaching_out=True, timeout_s=PUSH_TIMEOUT_S)
    if done.returncode != 0:
        raise DeliveryError(
            f"the remote does not answer: {last_line(done)}",
            where=scrubbed(remote),
            hint="give the name of a remote, a path or a URL; `git ls-remote` must work without being asked a password",
        )
    rows = (line.split(b"\t") for line in done.stdout.splitlines())
    return next((row[0].decode() for row in rows if row[1:] == [ref.encode()]), "")


def as_push(repository: Repository, remote: str, name: str, commit: str) -> bool:
    """Push the commit as a new branch; False when it is there already.

    Raises DeliveryError when the remote refuses, or has another branch of that name: none is moved.
    """
    check_name(repository, name)
    ref = f"refs/heads/{name}"
    for _ in range(2):
        there = tip_at(repository, remote, name)
        if there == commit:
            return False
        if there:
            raise taken(name, scrubbed(remote), there)
        # the empty lease: only where there is none, whoever else pushes in between
        words = ("push", "--quiet", "--no-verify", f"--force-with-lease={ref}:", "--", _safe(remote), f"{commit}:{ref}")
        done = run_git(repository.top, *words, reaching_out=True, timeout_s=PUSH_TIMEOUT_S)
        if done.returncode == 0:
            return True
    raise DeliveryError(
        f"the push was refused: {last_line(done)}", where=scrubbed(remote), hint="may this account push there?"
    )


def _safe(remote: str) -> str:
    if not remote or remote.startswith("-") or "::" in remote.partition("/")[0]:
        raise DeliveryError(
            f"{remote!r} is no remote", where="--push", hint="give the name of a remote, a path or a URL"
        )
    return remote
