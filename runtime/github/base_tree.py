"""What a commit holds at the paths that a proposal changes: modes to keep, and contents to compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import GitHubConflictError, GitHubRefusedError
from core.pull_requests import CodeChange, git_blob_id
from runtime.github.address import Repository
from runtime.github.answers import Tree, TreeEntry, read
from runtime.github.client import Client

__all__ = ["BaseTree"]

FILE = "100644"
FILES = (FILE, "100755")


@dataclass(frozen=True)
class BaseTree:
    """The entries at the changed paths, and at the folders above them."""

    entries: dict[str, TreeEntry]
    where: str

    @classmethod
    async def of(
        cls, client: Client, repository: Repository, tree_id: str, changes: Sequence[CodeChange], *, check: bool = True
    ) -> BaseTree:
        """Read the tree.  With `check`, raises GitHubConflictError where the changes were made for other files."""
        paths = [change.file_path for change in changes]
        wanted = {"/".join(path.split("/")[:n]) for path in paths for n in range(1, path.count("/") + 2)}
        whole = read(Tree, await _tree(client, repository, tree_id, {"recursive": "1"}))
        found = {entry.path: entry for entry in whole.tree if entry.path in wanted}
        if whole.truncated:
            found = await _walked(client, repository, tree_id, wanted)
        tree = cls(found, str(repository))
        if check:
            for change in changes:
                tree._check(change)
        return tree

    def mode(self, change: CodeChange) -> str:
        """Of the file after the change: an update keeps what it was, such as executable."""
        entry = self.entries.get(change.file_path)
        return FILE if entry is None or change.change_type == "create" else entry.mode

    def has(self, change: CodeChange) -> bool:
        """Whether the change is carried out here."""
        entry = self.entries.get(change.file_path)
        if change.change_type == "delete":
            return entry is None
        return entry is not None and entry.sha == git_blob_id(change.new_content)

    def _check(self, change: CodeChange) -> None:
        path, entry = change.file_path, self.entries.get(change.file_path)
        steps = path.split("/")
        for folder in ("/".join(steps[:n]) for n in range(1, len(steps))):
            if (above := self.entries.get(folder)) is not None and above.type != "tree":
                raise self._conflict(f"{folder} is no folder in the base, so {path} cannot be in it")
        if change.change_type == "create":
            if entry is not None:
                raise self._conflict(f"{path} exists in the base already")
            return
        if entry is None:
            raise self._conflict(f"{path} does not exist in the base")
        if entry.type != "blob" or entry.mode not in FILES:
            raise self._conflict(f"{path} is no plain file in the base, but a link, folder or submodule")
        if change.original_content is not None and entry.sha != git_blob_id(change.original_content):
            raise self._conflict(f"{path} has changed in the base since the proposal was made")

    def _conflict(self, what: str) -> GitHubConflictError:
        return GitHubConflictError(what, where=self.where, hint="make the proposal again from the present base")


async def _walked(client: Client, repository: Repository, tree_id: str, wanted: set[str]) -> dict[str, TreeEntry]:
    """Folder by folder, where a repository is too large to be listed at once."""
    found: dict[str, TreeEntry] = {}
    folders = [("", tree_id)]
    while folders:
        prefix, sha = folders.pop()
        tree = read(Tree, await _tree(client, repository, sha, {}))
        for entry in tree.tree:
            path = f"{prefix}{entry.path}"
            if path in wanted:
                found[path] = entry
                if entry.type == "tree":
                    folders.append((f"{path}/", entry.sha))
        if tree.truncated and any(p.startswith(prefix) and p not in found for p in wanted):
            raise GitHubRefusedError(
                f"a folder of the base has too many files to be read: {prefix or '/'}", status=0, where=str(repository)
            )
    return found


async def _tree(client: Client, repository: Repository, sha: str, query: dict[str, str]) -> object:
    path = repository.path("git", "trees", sha)
    told = await client.get(path, query or None)
    if told is None:
        raise GitHubRefusedError("GitHub does not find the tree of a commit of its own", status=404, where=path)
    return told
