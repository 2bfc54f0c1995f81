"""One branch, one commit and one pull request for a proposal, whatever failed before.

The world is asked first: is there a pull request from the proposal's branch?  Then: is there the branch?  Only what is
missing is made, in an order in which nothing half-made can be seen: blobs, tree and commit have the names of their
content and belong to nothing yet, the branch then points at the whole commit, and the pull request comes last.  Two
that do this at once make the same commit, and the second one's "already exists" is taken as found.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from core.errors import GitHubRefusedError, GitHubSilentError
from core.pull_requests import PRProposal
from runtime.github.address import Repository
from runtime.github.answers import Pull, Ref, Repo, read, read_list
from runtime.github.client import Client
from runtime.github.committing import LOOKS, Author, ProposalCommit

__all__ = ["Opened", "Wishes", "open_pull_request"]

State = Literal["open", "closed", "merged"]


@dataclass(frozen=True)
class Wishes:
    """`base` empty: the repository's default branch.  `base_commit` pins the commit that the change is made on."""

    base: str = ""
    base_commit: str = ""
    draft: bool = False
    labels: tuple[str, ...] = ()
    author: Author = field(default_factory=Author)


@dataclass(frozen=True)
class Opened:
    """The pull request, and whether this call made it.  `notes` say what of the wishes GitHub did not grant."""

    number: int
    url: str
    state: State
    created: bool
    commit: str = ""
    notes: tuple[str, ...] = ()


async def open_pull_request(
    client: Client,
    repository: Repository,
    proposal: PRProposal,
    wishes: Wishes,
    *,
    based_on: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Opened:
    """Open the pull request, or find it.  `based_on` is told the base commit before the first thing is written.

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
        self._commits = ProposalCommit(self._client, self._repository, self._proposal, self._wishes.author, self._sleep)
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
            return await self._commits.verified(found)
        base_commit = self._wishes.base_commit or await self._ref(base)
        if not base_commit:
            raise GitHubRefusedError(
                f"there is no branch {base}", status=404, where=str(self._repository), hint="name another with --base"
            )
        commit = await self._commits.made(base_commit, self._based_on)
        body = {"ref": f"refs/heads/{self._branch}", "sha": commit}
        try:
            read(Ref, await self._client.post(self._repository.path("git", "refs"), body))
        except GitHubRefusedError as error:
            if error.status != 422 or not (found := await self._ref(self._branch)):
                raise
            return await self._commits.verified(found)
        return commit

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
