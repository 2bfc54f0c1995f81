"""One branch, one commit and one pull request for a proposal, whatever failed before.

The world is asked first: is there a pull request from the proposal's branch?  Then: is there the branch?  Only what is
missing is made, in an order in which nothing half-made can be seen: blobs, tree and commit have the names of their
content and belong to nothing yet, the branch then points at the whole commit, and the pull request comes last.  Two
that do this at once make the same commit, and the second one's "already exists" is taken as found.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from core.errors import GitHubConflictError, GitHubRefusedError, GitHubSilentError
from core.pull_requests import PRProposal, content_bytes, git_blob_id
from runtime.github.address import Repository
from runtime.github.answers import Commit, Named, Pull, Ref, Repo, Tree, read, read_list
from runtime.github.base_tree import BaseTree
from runtime.github.client import Client

__all__ = ["Author", "Opened", "Wishes", "open_pull_request", "trailer"]

State = Literal["open", "closed", "merged"]

LOOKS = 4
"""How often a pull request or a branch that must be there is looked for: GitHub's lists lag behind for seconds."""


@dataclass(frozen=True)
class Author:
    """Of the commit.  The address belongs to nobody, so that no account is credited with it."""

    name: str = "Ratchet"
    email: str = "noreply@ratchet.invalid"


@dataclass(frozen=True)
class Wishes:
    """`base` empty: the repository's default branch.  `base_commit` pins the commit that the change is made on."""

    base: str = ""
    base_commit: str = ""
    draft: bool = False
    labels: tuple[str, ...] = ()
    author: Author = Author()


@dataclass(frozen=True)
class Opened:
    """The pull request, and whether this call made it.  `notes` say what of the wishes GitHub did not grant."""

    number: int
    url: str
    state: State
    created: bool
    commit: str = ""
    notes: tuple[str, ...] = ()


def trailer(proposal: PRProposal) -> str:
    """The line of the commit message by which a repetition knows the commit as the proposal's."""
    return f"Ratchet-Proposal: {proposal.proposal_id}"


async def open_pull_request(
    client: Client,
    repository: Repository,
    proposal: PRProposal,
    wishes: Wishes = Wishes(),  # noqa: B008  # frozen
    *,
    based_on: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Opened:
    """Open the pull request, or find it.  `based_on` is told the base commit before anything is written.

    Raises GitHubConflictError when the branch holds something else, or a file of the base is not the one that the
    change was made for; GitHubRefusedError, GitHubSilentError or GitHubAnswerError: calling again goes on.
    """
    return await _Opening(client, repository, proposal, wishes, based_on, sleep).run()


class _Opening:
    def __init__(
        self,
        client: Client,
        repository: Repository,
        proposal: PRProposal,
        wishes: Wishes,
        based_on: Callable[[str], None],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._client, self._proposal, self._wishes = client, proposal, wishes
        self._repository = repository
        self._based_on, self._sleep = based_on, sleep
        self._branch = proposal.branch_name

    async def run(self) -> Opened:
        repo = await self._repo()
        self._repository = Repository.of(repo.full_name)  # its present name: a list by head wants the present owner
        base = self._wishes.base or repo.default_branch
        pull = await self._pull()
        created = pull is None
        commit = ""
        if pull is None:
            commit = await self._commit_on_branch(base)
            pull, created = await self._opened(base)
        notes = await self._label(pull)
        state: State = "merged" if pull.merged_at else "closed" if pull.state == "closed" else "open"
        return Opened(pull.number, pull.html_url, state, created, commit, notes)

    async def _repo(self) -> Repo:
        told = await self._client.get(self._repository.path())
        if told is None:
            raise GitHubRefusedError(
                f"there is no repository {self._repository}, or the token may not see it",
                status=404,
                where=str(self._repository),
                hint="check the name, and that GITHUB_TOKEN has access to it",
            )
        repo = read(Repo, told)
        if repo.archived:
            raise GitHubRefusedError(
                "the repository is archived: nothing can be added", status=403, where=repo.full_name
            )
        return repo

    async def _pull(self) -> Pull | None:
        """The newest pull request from the proposal's branch, of any state: a closed one is not opened again."""
        head = f"{self._repository.owner}:{self._branch}"
        query = {"head": head, "state": "all", "per_page": "100"}
        # a filter that GitHub does not understand is left out by it, so what it answers is looked at again
        pulls = read_list(Pull, await self._client.get(self._repository.path("pulls"), query))
        mine = [p for p in pulls if p.head.ref == self._branch and (p.head.label or head).lower() == head.lower()]
        return max(mine, key=lambda pull: (pull.state == "open", pull.number), default=None)

    async def _ref(self, branch: str) -> str:
        """The commit that a branch points at; empty without the branch."""
        told = await self._client.get(self._repository.path("git", "ref", "heads", branch))
        # an older server answers a name that is none with the list of those that begin so
        return "" if told is None or isinstance(told, list) else read(Ref, told).object.sha

    # ------------------------------------------------------------------ branch

    async def _commit_on_branch(self, base: str) -> str:
        """The proposal's commit, once the branch points at it."""
        if found := await self._ref(self._branch):
            return await self._verified(found)
        base_commit = self._wishes.base_commit or await self._ref(base)
        if not base_commit:
            raise GitHubRefusedError(
                f"there is no branch {base}", status=404, where=str(self._repository), hint="name another with --base"
            )
        self._based_on(base_commit)
        commit = await self._committed(base_commit)
        body = {"ref": f"refs/heads/{self._branch}", "sha": commit}
        try:
            read(Ref, await self._client.post(self._repository.path("git", "refs"), body))
        except GitHubRefusedError as error:
            if error.status != 422 or not (found := await self._ref(self._branch)):
                raise
            return await self._verified(found)
        return commit

    async def _committed(self, base_commit: str) -> str:
        parent = read(Commit, await self._needed("git", "commits", base_commit))
        tree = await BaseTree.of(self._client, self._repository, parent.tree.sha, self._proposal.changes)
        entries = []
        for change in self._proposal.changes:
            entry: dict[str, Any] = {"path": change.file_path, "mode": tree.mode(change), "type": "blob"}
            if change.change_type == "delete":
                entries.append({**entry, "sha": None})
                continue
            content = content_bytes(change.new_content)
            body = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
            blob = read(Named, await self._client.post(self._repository.path("git", "blobs"), body))
            if blob.sha != git_blob_id(content):
                raise GitHubConflictError(
                    f"GitHub keeps another content for {change.file_path} than was sent",
                    where=str(self._repository),
                    hint="does something on the way change what is sent?",
                )
            entries.append({**entry, "sha": blob.sha})
        new = read(
            Named,
            await self._client.post(
                self._repository.path("git", "trees"), {"base_tree": parent.tree.sha, "tree": entries}
            ),
        )
        if new.sha == parent.tree.sha:
            raise GitHubConflictError("the base holds all of this already", where=str(self._repository))
        who = {
            "name": self._wishes.author.name,
            "email": self._wishes.author.email,
            "date": self._proposal.commit_date,
        }
        body = {
            "message": f"{self._proposal.title}\n\n{trailer(self._proposal)}\n",
            "tree": new.sha,
            "parents": [base_commit],
            "author": who,
            "committer": who,
        }
        return read(Named, await self._client.post(self._repository.path("git", "commits"), body)).sha

    async def _verified(self, commit_id: str) -> str:
        """`commit_id`, if it is the proposal's commit, and holds its files."""
        commit = read(Commit, await self._needed("git", "commits", commit_id))
        ours = trailer(self._proposal) in commit.message.splitlines() and len(commit.parents) == 1
        if ours:
            tree = await BaseTree.of(
                self._client, self._repository, commit.tree.sha, self._proposal.changes, check=False
            )
            ours = all(tree.has(change) for change in self._proposal.changes)
        if not ours:
            raise GitHubConflictError(
                f"the branch {self._branch} holds something else than the proposal",
                where=f"{self._repository} {commit_id[:10]}",
                hint="somebody has pushed to it: open the pull request by hand, or delete the branch and call again",
            )
        return commit_id

    async def _needed(self, *steps: str) -> Any:
        """What must be there, as its name has just been told."""
        path = self._repository.path(*steps)
        for look in range(LOOKS):
            if (told := await self._client.get(path)) is not None:
                return told
            await self._sleep(2.0**look)
        raise GitHubRefusedError("GitHub does not find what it has just named", status=404, where=path)

    # ------------------------------------------------------------ pull request

    async def _opened(self, base: str) -> tuple[Pull, bool]:
        body: dict[str, Any] = {
            "title": self._proposal.title,
            "head": self._branch,
            "base": base,
            "body": self._proposal.body,
            "maintainer_can_modify": True,
        }
        if self._wishes.draft:
            body["draft"] = True
        path = self._repository.path("pulls")
        for look in range(LOOKS):
            try:
                return read(Pull, await self._client.post(path, body)), True
            except GitHubRefusedError as error:
                if error.status != 422:
                    raise
                if (pull := await self._pull()) is not None:
                    return pull, False
                exists = any("already exists" in message for *_, message in error.faults)
                unseen = any(name == "head" and code == "invalid" for _, name, code, _ in error.faults)
                if not (exists or unseen):
                    raise
                refusal = error
            await self._sleep(2.0**look)
        raise GitHubSilentError(
            f"GitHub contradicts itself about the branch {self._branch}: {refusal.what}",
            where=str(self._repository),
            hint="call again in a minute, it goes on where it stopped",
        )

    async def _label(self, pull: Pull) -> tuple[str, ...]:
        """Add the labels that are missing on an open pull request; a refusal is a note, as the request stands."""
        missing = [name for name in self._wishes.labels if name not in {label.name for label in pull.labels}]
        if not missing or pull.state != "open":
            return ()
        try:
            path = self._repository.path("issues", str(pull.number), "labels")
            await self._client.post(path, {"labels": missing})
        except GitHubRefusedError as error:
            return (f"not labelled: {error.what}",)
        return ()
