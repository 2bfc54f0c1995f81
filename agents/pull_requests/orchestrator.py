"""From a change of code to an open pull request: the proposal, its way to GitHub, and that it happens once."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from agents.pull_requests.body import MOST_CHARACTERS, body_of, length_of
from agents.pull_requests.evidence import Evidence
from agents.pull_requests.screening import refuse_secrets
from agents.pull_requests.wording import cut, plain
from core.errors import ConfigError, GitHubRefusedError, GitHubSilentError, RatchetError
from core.ids import Clock, content_hash, system_clock
from core.pull_requests import MOST_BYTES, MOST_CHANGES, CodeChange, PRProposal, proposal_id_of
from core.validation import config_error
from runtime.github.address import Repository, api_url
from runtime.github.patience import Patience

if TYPE_CHECKING:
    from memory.ledger import Ledger

__all__ = ["PREFIX", "PROrchestrator", "propose_pr"]

PREFIX = "aura-sicd"
MOST_TITLE = 256


class PROrchestrator:
    """Makes proposals and opens them.

    `repo_owner`, `repo_name` and `base_url` default to GITHUB_REPO_OWNER, GITHUB_REPO_NAME and GITHUB_API_URL of the
    `environment`, from which alone GITHUB_TOKEN is read, when it is needed.  With a `ledger`, each pull request is an
    effect: one process at a time works on it, it remembers on which commit it was begun, and once open it costs no
    more requests.
    """

    def __init__(
        self,
        repo_owner: str | None = None,
        repo_name: str | None = None,
        *,
        prefix: str = PREFIX,
        base_url: str | None = None,
        ledger: Ledger | None = None,
        environment: Mapping[str, str] = os.environ,
        clock: Clock = system_clock,
        patience: Patience | None = None,
        answer_s: float = 30.0,
    ) -> None:
        self._owner, self._name = repo_owner, repo_name
        self._prefix = prefix
        self._base_url = base_url
        self._ledger = ledger
        self._environment = environment
        self._clock = clock
        self._patience = patience
        self._answer_s = answer_s

    def generate_proposal(
        self,
        changes: Sequence[CodeChange | Mapping[str, Any]],
        title: str,
        description: str,
        *,
        evidence: Evidence | Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        body: str | None = None,
    ) -> PRProposal:
        """The proposal, under an id made from `changes`, `title` and `description`.

        `body` None: from the template, with `evidence`.  A body of one's own is taken as it is, markup and all.
        Raises ConfigError for what is no change or evidence, and SecretFoundError, which names path and line.
        """
        if len(changes) > MOST_CHANGES:
            raise ConfigError(f"{len(changes):,} files are changed, more than {MOST_CHANGES:,}", where="changes")
        parsed = tuple(_parsed(CodeChange, change, f"changes.{number}") for number, change in enumerate(changes))
        known = Evidence() if evidence is None else _parsed(Evidence, evidence, "evidence")
        if (size := sum(len(change.new_content) for change in parsed)) > MOST_BYTES:
            raise ConfigError(f"the new contents have {size:,} bytes, more than {MOST_BYTES:,}", where="changes")
        head = cut(plain(title), MOST_TITLE)
        proposal_id = proposal_id_of(parsed, title, description)
        branch = f"{self._prefix}/{proposal_id}"
        if body is None:
            body = body_of(parsed, description, known, branch=branch, proposal_id=proposal_id)
        elif length_of(body) > MOST_CHARACTERS:
            raise ConfigError(
                f"the body has {length_of(body):,} characters, GitHub takes {MOST_CHARACTERS:,}", where="body"
            )
        try:
            proposal = PRProposal(
                title=head,
                body=body,
                branch_name=branch,
                changes=parsed,
                metadata={**(metadata or {}), "description": description, "evidence": known.model_dump(mode="json")},
                created_at=self._clock(),
                proposal_id=proposal_id,
            )
        except ValidationError as error:
            raise config_error(error, PRProposal, "pull request") from error
        self._screen(proposal)
        return proposal

    async def create_github_pr(
        self,
        proposal: PRProposal,
        repo_owner: str | None = None,
        repo_name: str | None = None,
        dry_run: bool = False,
        *,
        base: str = "",
        base_commit: str = "",
        draft: bool = False,
        labels: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Open the pull request, or find the one that an earlier call opened.

        Answers `status` (`created`, `exists`; `closed` or `merged` where somebody did that since; `dry_run`),
        `pr_number`, `pr_url`, `proposal_id`, `branch`, `repository`, `commit` and `notes`; a dry run sends nothing and
        answers `requests`: what would be sent.  Called again after any failure it goes on where it stopped.
        `base_commit` pins the commit that the change is made on; default: the head of `base`, itself by default
        the repository's default branch.  Raises GitHubError, SecretFoundError, ConfigError, and BusyError while
        another process is at the same pull request.
        """
        from runtime.github.opening import Wishes

        repository = self._repository(repo_owner, repo_name)
        url = api_url(self._base_url, self._environment)
        wishes = Wishes(base=base, base_commit=base_commit, draft=draft, labels=tuple(labels))
        await asyncio.to_thread(self._screen, proposal)
        facts = {"proposal_id": proposal.proposal_id, "branch": proposal.branch_name, "repository": str(repository)}
        if dry_run:
            from runtime.github.rehearsal import rehearsed

            requests = [request.as_sent() for request in await rehearsed(repository, proposal, wishes)]
            return {
                "status": "dry_run",
                "pr_number": None,
                "pr_url": None,
                **facts,
                "base_url": url,
                "requests": requests,
            }
        if self._ledger is None:
            return await self._opened(repository, url, proposal, wishes, facts, {})
        return await self._opened_once(self._ledger, repository, url, proposal, wishes, facts)

    async def create_github_prs(
        self,
        proposals: Iterable[PRProposal],
        repo_owner: str | None = None,
        repo_name: str | None = None,
        dry_run: bool = False,
        **wishes: Any,
    ) -> list[dict[str, Any]]:
        """`create_github_pr` for each, in order.  One that fails answers `failed` and `error`, the others go on.

        Where GitHub is silent or refuses the token, the rest would fare no better: it answers `not_tried`.
        """
        answers: list[dict[str, Any]] = []
        hopeless: RatchetError | None = None
        for proposal in proposals:
            facts = {"proposal_id": proposal.proposal_id, "branch": proposal.branch_name}
            if hopeless is not None:
                answers.append(
                    {"status": "not_tried", "pr_number": None, "pr_url": None, **facts, "error": hopeless.what}
                )
                continue
            try:
                answers.append(await self.create_github_pr(proposal, repo_owner, repo_name, dry_run, **wishes))
            except RatchetError as error:
                answers.append({"status": "failed", "pr_number": None, "pr_url": None, **facts, "error": str(error)})
                refused = isinstance(error, GitHubRefusedError) and error.status == 401
                hopeless = error if refused or isinstance(error, GitHubSilentError) else None
        return answers

    # ------------------------------------------------------------------- parts

    def _screen(self, proposal: PRProposal) -> None:
        texts = {
            "the title": proposal.title,
            "the body": proposal.body,
            "the branch": proposal.branch_name,
            "the description": str(proposal.metadata.get("description", "")),
        }
        refuse_secrets(proposal.changes, texts, self._environment)

    def _repository(self, owner: str | None, name: str | None) -> Repository:
        environment = self._environment
        return Repository(
            owner or self._owner or environment.get("GITHUB_REPO_OWNER", ""),
            name or self._name or environment.get("GITHUB_REPO_NAME", ""),
        )

    async def _opened(
        self,
        repository: Repository,
        url: str,
        proposal: PRProposal,
        wishes: Any,
        facts: Mapping[str, Any],
        hooks: Mapping[str, Any],
    ) -> dict[str, Any]:
        from runtime.github.client import GitHub
        from runtime.github.opening import open_pull_request

        token = self._environment.get("GITHUB_TOKEN", "").strip()
        if not token:
            raise ConfigError(
                "there is no GITHUB_TOKEN in the environment",
                where="environment",
                hint="export GITHUB_TOKEN=… with `contents: write` and `pull requests: write`, or use --dry-run",
            )
        patience = self._patience or Patience()
        async with GitHub(url, token, patience=patience, answer_s=self._answer_s, clock=self._clock) as github:
            opened = await open_pull_request(github, repository, proposal, wishes, sleep=patience.sleep, **hooks)
        status = "created" if opened.created else "exists" if opened.state == "open" else opened.state
        more = {"commit": opened.commit, "notes": list(opened.notes)}
        return {"status": status, "pr_number": opened.number, "pr_url": opened.url, **facts, **more}

    async def _opened_once(
        self,
        ledger: Ledger,
        repository: Repository,
        url: str,
        proposal: PRProposal,
        wishes: Any,
        facts: Mapping[str, Any],
    ) -> dict[str, Any]:
        from dataclasses import replace

        request = {
            "url": url,
            "repository": str(repository).lower(),
            "base": wishes.base,
            "proposal": proposal.proposal_id,
        }
        key = f"pr-{content_hash(request)[:16]}"
        with ledger.leases.held(f"pull request {key}"):
            effect = ledger.effects.begin(key, "pull_request", str(proposal.metadata.get("campaign_id", "")), request)
            if effect.state == "finished":
                told: dict[str, Any] = json.loads(effect.result)
                return {**told, "status": "exists" if told["status"] == "created" else told["status"]}
            if not wishes.base_commit:  # the commit on which an earlier try began, so that both make the same one
                wishes = replace(wishes, base_commit=effect.remote_id)
            hooks = {"based_on": lambda commit: ledger.effects.started(effect, commit)}
            told = await self._opened(repository, url, proposal, wishes, facts, hooks)
            ledger.effects.finish(effect, json.dumps(told))
            return told


def _parsed(kind: Any, value: Any, where: str) -> Any:
    if isinstance(value, kind):
        return value
    try:
        return kind.model_validate(dict(value))
    except ValidationError as error:
        raise config_error(error, kind, where) from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{type(value).__name__} is no {kind.__name__}", where=where) from error


async def propose_pr(
    changes: Sequence[CodeChange | Mapping[str, Any]],
    title: str,
    description: str,
    repo_owner: str | None = None,
    repo_name: str | None = None,
    dry_run: bool = False,
    *,
    evidence: Evidence | Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    body: str | None = None,
    base: str = "",
    draft: bool = False,
    labels: Sequence[str] = (),
    **settings: Any,
) -> dict[str, Any]:
    """Make a proposal and open it, in one call; `settings` are those of PROrchestrator.  Answers its answer."""
    orchestrator = PROrchestrator(repo_owner, repo_name, **settings)
    proposal = orchestrator.generate_proposal(
        changes, title, description, evidence=evidence, metadata=metadata, body=body
    )
    return await orchestrator.create_github_pr(proposal, dry_run=dry_run, base=base, draft=draft, labels=labels)
