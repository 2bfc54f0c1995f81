"""Changes of code that leave as pull requests: those of a caller, and the best candidate of a campaign."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from pydantic import Field

from core.pull_requests import ChangeType
from service.operations.desk import Desk
from service.operations.ids import OfCampaign, Paged, ProposalId, RunId
from service.operations.operation import Taken, Told
from service.operations.pages import page

__all__ = [
    "Deliver",
    "Opened",
    "Propose",
    "PullRequestPage",
    "PullRequests",
    "deliver",
    "facts_of",
    "facts_of_delivery",
    "opened_for",
    "propose",
    "pull_requests",
]

Owner = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")]


class Base64(Taken):
    base64: Annotated[str, Field(max_length=1_400_000)]


class Change(Taken):
    """One file of the change; bytes that are no text come as `{"base64": "…"}`."""

    file_path: Annotated[str, Field(min_length=1, max_length=1024)]
    original_content: str | Base64 | None = None
    new_content: str | Base64 = ""
    change_type: ChangeType = "update"
    rationale: Annotated[str, Field(max_length=4000)] = ""


class Propose(Taken):
    """A change of code as a pull request.  The repository is by default that of the environment."""

    run_id: RunId | None = None
    title: Annotated[str, Field(min_length=1, max_length=256)]
    description: Annotated[str, Field(max_length=60_000)] = ""
    changes: Annotated[list[Change], Field(min_length=1, max_length=3000)]
    repo_owner: Owner | None = None
    repo_name: Name | None = None
    base: Annotated[str, Field(max_length=200)] = ""
    draft: bool = False
    dry_run: bool = Field(default=False, description="answer exactly what would be sent; send nothing")


class Result(Told):
    status: str = Field(description="created, exists, closed, merged, or dry_run")
    pr_number: int | None
    pr_url: str | None
    repository: str
    notes: list[str] = Field(default=[])
    requests: list[dict[str, Any]] | None = Field(default=None, description="what a dry run would have sent")


class Opened(Told):
    proposal_id: str
    branch: str
    result: Result
    risk_score: float


def facts_of(taken: Propose, _desk: Desk) -> Mapping[str, Any]:
    return {
        "change_count": len(taken.changes),
        "dry_run": taken.dry_run,
        "details": {"title": taken.title, "run_id": taken.run_id, "files": [c.file_path for c in taken.changes[:50]]},
    }


async def propose(taken: Propose, desk: Desk) -> Opened:
    """Open it; called again after a failure it goes on where it stopped.  GITHUB_TOKEN comes from the environment."""
    from agents.pull_requests import PROrchestrator

    made = PROrchestrator(taken.repo_owner, taken.repo_name, ledger=desk.ledger)
    metadata = {"run_id": taken.run_id} if taken.run_id else {}
    changes = [change.model_dump() for change in taken.changes]
    words = (taken.title, taken.description or taken.title)
    # a large one takes a second, in which everybody else is to be answered
    proposal = await to_thread.run_sync(partial(made.generate_proposal, changes, *words, metadata=metadata))
    told = await made.create_github_pr(proposal, dry_run=taken.dry_run, base=taken.base, draft=taken.draft)
    return _opened(told, desk.risk)


class Deliver(OfCampaign):
    """The best verified candidate of a campaign on code, with its evidence as the body; or a candidate by its id."""

    candidate: ProposalId | None = None
    repo_owner: Owner
    repo_name: Name
    dry_run: bool = Field(default=False, description="answer exactly what would be sent; send nothing")


def facts_of_delivery(taken: Deliver, desk: Desk) -> Mapping[str, Any]:
    delivery = _delivery(taken, desk)
    return {
        "change_count": len(delivery.code_changes()),
        "dry_run": taken.dry_run,
        "verified": delivery.chosen.grade == "verified",
        "details": {"candidate": delivery.chosen.id},
    }


async def deliver(taken: Deliver, desk: Desk) -> Opened:
    delivery = await to_thread.run_sync(_delivery, taken, desk)
    told = await opened_for(delivery, taken.repo_owner, taken.repo_name, dry_run=taken.dry_run)
    return _opened(told, desk.risk)


async def opened_for(delivery: Any, owner: str, name: str, *, dry_run: bool) -> dict[str, Any]:
    """A candidate as a pull request with its dossier as the body."""
    from agents.pull_requests import PROrchestrator
    from graph.dossier import dossier
    from graph.dossier_text import as_markdown, commit_message

    facts = dossier(delivery)
    made = PROrchestrator(owner, name, prefix="ratchet", ledger=delivery.ledger)
    title, _, description = commit_message(facts).partition("\n")
    body = as_markdown(facts, public=True)
    proposal = made.generate_proposal(delivery.code_changes(), title, description.strip() or title, body=body)
    return await made.create_github_pr(proposal, dry_run=dry_run)


class PullRequestTold(Told):
    proposal_id: str
    repository: str
    state: str = Field(description="claimed, started or finished: how far the opening has come")
    pr_number: int | None
    pr_url: str | None
    branch: str | None
    created_at: float


class PullRequestPage(Told):
    pull_requests: list[PullRequestTold]
    next: str | None = None


class PullRequests(Paged):
    """The pull requests that were opened, or begun, from this state folder."""


def pull_requests(taken: PullRequests, desk: Desk) -> PullRequestPage:
    kept = desk.ledger.effects.of(kind="pull_request")
    chosen, following = page(kept, lambda effect: effect.key, taken.limit, taken.after)
    rows = []
    for effect in chosen:
        told = json.loads(effect.result) if effect.result else {}
        rows.append(
            PullRequestTold(
                proposal_id=effect.request["proposal"],
                repository=effect.request["repository"],
                state=effect.state,
                pr_number=told.get("pr_number"),
                pr_url=told.get("pr_url"),
                branch=told.get("branch"),
                created_at=effect.created_at,
            )
        )
    return PullRequestPage(pull_requests=rows, next=following)


def _delivery(taken: Deliver, desk: Desk) -> Any:
    from graph.delivery import open_delivery

    stored = desk.ledger.campaign(taken.campaign)
    return open_delivery(desk.folder, desk.ledger, stored, taken.candidate or "")


def _opened(told: Mapping[str, Any], risk: float) -> Opened:
    result = {key: told[key] for key in Result.model_fields if key in told}
    return Opened(
        proposal_id=told["proposal_id"], branch=told["branch"], result=Result.model_validate(result), risk_score=risk
    )
