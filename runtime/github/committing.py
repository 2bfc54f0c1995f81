"""The one commit of a proposal: made on a base, or known again on a branch."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from core.errors import GitHubConflictError, GitHubRefusedError
from core.pull_requests import CodeChange, PRProposal, content_bytes, git_blob_id
from runtime.github.address import Repository
from runtime.github.answers import Commit, Named, read
from runtime.github.base_tree import BaseTree
from runtime.github.client import Client

__all__ = ["LOOKS", "Author", "ProposalCommit"]

LOOKS = 4
"""How often something that must be there is looked for: GitHub's replicas lag behind for seconds."""


@dataclass(frozen=True)
class Author:
    """Of the commit.  The address belongs to nobody, so that no account is credited with it."""

    name: str = "Ratchet"
    email: str = "noreply@ratchet.invalid"


class ProposalCommit:
    """Its author, dates and message come from the proposal: made twice on one base, it is the same commit."""

    def __init__(
        self,
        client: Client,
        repository: Repository,
        proposal: PRProposal,
        author: Author,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._client, self._repository, self._proposal = client, repository, proposal
        self._author, self._sleep = author, sleep
        self._trailer = f"Ratchet-Proposal: {proposal.proposal_id}"

    async def made(self, base_commit: str, based_on: Callable[[str], None]) -> str:
        """The id of the commit on `base_commit`, on no branch yet.  `based_on` hears of a base that fits."""
        parent = read(Commit, await self._needed("git", "commits", base_commit))
        changes = self._proposal.changes
        base = await BaseTree.of(self._client, self._repository, parent.tree.sha, changes)
        based_on(base_commit)
        entries = [await self._entry(change, base) for change in changes]
        tree = await self._post("trees", {"base_tree": parent.tree.sha, "tree": entries})
        if tree == parent.tree.sha:
            raise GitHubConflictError("the base holds all of this already", where=str(self._repository))
        who = {"name": self._author.name, "email": self._author.email, "date": self._proposal.commit_date}
        message = f"{self._proposal.title}\n\n{self._trailer}\n"
        body = {"message": message, "tree": tree, "parents": [base_commit], "author": who, "committer": who}
        return await self._post("commits", body)

    async def verified(self, commit_id: str) -> str:
        """`commit_id`, if it is the proposal's commit, and holds its files.  Raises GitHubConflictError."""
        commit = read(Commit, await self._needed("git", "commits", commit_id))
        ours = self._trailer in commit.message.splitlines() and len(commit.parents) == 1
        if ours:
            changes = self._proposal.changes
            tree = await BaseTree.of(self._client, self._repository, commit.tree.sha, changes, check=False)
            ours = all(tree.has(change) for change in changes)
        if not ours:
            raise GitHubConflictError(
                f"the branch {self._proposal.branch_name} holds something else than the proposal",
                where=f"{self._repository} {commit_id[:10]}",
                hint="somebody has pushed to it: open the pull request by hand, or delete the branch and call again",
            )
        return commit_id

    async def _entry(self, change: CodeChange, base: BaseTree) -> dict[str, Any]:
        """Of the new tree; without a content, GitHub takes the file away."""
        entry = {"path": change.file_path, "mode": base.mode(change), "type": "blob"}
        if change.change_type == "delete":
            return {**entry, "sha": None}
        content = content_bytes(change.new_content)
        told = await self._post("blobs", {"content": base64.b64encode(content).decode(), "encoding": "base64"})
        if told != git_blob_id(content):
            raise GitHubConflictError(
                f"GitHub keeps another content for {change.file_path} than was sent",
                where=str(self._repository),
                hint="does something on the way change what is sent?",
            )
        return {**entry, "sha": told}

    async def _post(self, kind: str, body: dict[str, Any]) -> str:
        """Make an object of git; answers its name."""
        return read(Named, await self._client.post(self._repository.path("git", kind), body)).sha

    async def _needed(self, *steps: str) -> Any:
        """What must be there, as its name has just been told."""
        path = self._repository.path(*steps)
        for look in range(LOOKS):
            if (told := await self._client.get(path)) is not None:
                return told
            await self._sleep(2.0**look)
        raise GitHubRefusedError("GitHub does not find what it has just named", status=404, where=path)
