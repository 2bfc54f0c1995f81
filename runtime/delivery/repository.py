"""A git repository, read without its index: commits, and what their trees hold below a folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import DeliveryError
from runtime.delivery.git import git, last_line, run_git, text_of

__all__ = ["Entry", "Repository", "find_repository"]

AT_ONCE = 200
"""Paths of one call of git: a command line has a limit."""


@dataclass(frozen=True)
class Entry:
    """What a commit holds at a path.  `mode` is git's: 100644, 100755, 120000 for a link, 160000 for a submodule."""

    mode: str
    oid: str

    @property
    def is_file(self) -> bool:
        return self.mode in ("100644", "100755")


@dataclass(frozen=True)
class Repository:
    """`top` is the root of the working tree; `prefix` the folder below it, with a slash at its end, "" for the root.

    Paths given to its methods are relative to that folder.
    """

    top: Path
    prefix: str
    common: Path

    def commit(self, revision: str) -> str:
        """The commit of a revision.  Raises DeliveryError."""
        done = run_git(self.top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if done.returncode != 0:
            what = "the repository has no commit yet" if revision == "HEAD" else f"there is no commit {revision!r}"
            raise DeliveryError(what, where=str(self.top), hint="commit the code first, or take the diff: --diff FILE")
        return text_of(done.stdout)

    def has(self, commit: str) -> bool:
        """Whether the commit's object is here."""
        return run_git(self.top, "cat-file", "-e", f"{commit}^{{commit}}").returncode == 0

    def tree(self, commit: str) -> str:
        return text_of(git(self.top, "rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}"))

    def parents(self, commit: str) -> tuple[str, ...]:
        return tuple(text_of(git(self.top, "rev-list", "--parents", "-n", "1", commit)).split()[1:])

    def message(self, commit: str) -> str:
        return git(self.top, "show", "-s", "--format=%B", "--encoding=UTF-8", commit).decode("utf-8", "replace")

    def branch_checked_out(self) -> str:
        """The ref that HEAD names, born or not; "" for a detached HEAD."""
        return text_of(run_git(self.top, "symbolic-ref", "--quiet", "HEAD").stdout)

    def entries(self, commit: str, paths: Iterable[str]) -> dict[str, Entry]:
        """What the commit holds at these paths; one that is not there is left out."""
        told: dict[str, Entry] = {}
        wanted = sorted(set(paths))
        for at in range(0, len(wanted), AT_ONCE):
            names = [f"{self.prefix}{path}" for path in wanted[at : at + AT_ONCE]]
            told |= self._listed("ls-tree", "-z", "--full-tree", commit, "--", *names)
        return told

    def all_entries(self, commit: str) -> dict[str, Entry]:
        """Everything that the commit holds below the folder."""
        below = ["--", self.prefix] if self.prefix else []
        return self._listed("ls-tree", "-r", "-z", "--full-tree", commit, *below)

    def contents(self, entries: Iterable[Entry]) -> dict[str, bytes]:
        """The bytes as they are stored, by object id; no filter is applied."""
        wanted = sorted({entry.oid for entry in entries})
        asked = "".join(f"{oid}\n" for oid in wanted).encode()
        return dict(_objects(git(self.top, "cat-file", "--batch", stdin=asked))) if wanted else {}

    def _listed(self, *words: str) -> dict[str, Entry]:
        told = {}
        for row in git(self.top, *words).split(b"\0"):
            if row:
                about, _, name = row.partition(b"\t")
                mode, _, oid = about.decode().split()
                told[name.decode("utf-8", "surrogateescape").removeprefix(self.prefix)] = Entry(mode, oid)
        return told


def find_repository(folder: Path) -> Repository:
    """The repository whose working tree holds `folder`.  Raises DeliveryError where it is none."""
    done = run_git(folder, "rev-parse", "--show-toplevel")
    if done.returncode != 0 or not done.stdout.strip():
        raise DeliveryError(
            f"the code is in no git repository that can be used: {last_line(done)}",
            where=str(folder),
            hint="take the diff (--diff FILE), or let the files be changed (--apply)",
        )
    return Repository(
        top=Path(text_of(done.stdout)),
        prefix=text_of(git(folder, "rev-parse", "--show-prefix")),
        common=Path(text_of(git(folder, "rev-parse", "--path-format=absolute", "--git-common-dir"))),
    )


def _objects(output: bytes) -> Iterator[tuple[str, bytes]]:
    """`cat-file --batch`: a line `oid type size`, the bytes, a line end."""
    at = 0
    while at < len(output):
        end = output.index(b"\n", at)
        oid, kind, *size = output[at:end].decode().split()
        if not size:
            raise DeliveryError(f"object {oid} is {kind}", where="git", hint="a partial clone must fetch it first")
        at = end + 1
        yield oid, output[at : at + int(size[0])]
        at += int(size[0]) + 1
