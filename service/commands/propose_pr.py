"""`propose-pr SOURCE`: a change of code as a pull request on GitHub."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UsageError
from core.files import write_private
from service.escape import escaped
from service.output import Output
from service.state import open_folder, settings_of

if TYPE_CHECKING:
    from agents.pull_requests import PROrchestrator
    from core.pull_requests import PRProposal

__all__ = ["propose_pr", "rehearsed"]


def propose_pr(args: argparse.Namespace, output: Output) -> int:
    """`propose-pr SOURCE [--repo OWNER/NAME] [--against DIR] [--title TEXT] [--body-file FILE] [--dry-run] …`"""
    from agents.pull_requests import PROrchestrator
    from core.policy import Action
    from runtime.github.address import Repository
    from service.policy import Gate, ask_locally

    repository = Repository.of(args.repo) if args.repo else None
    owner, name = (repository.owner, repository.name) if repository else (None, None)
    settings = {"prefix": args.prefix} if args.prefix else {}
    proposal = _proposal(args, PROrchestrator(owner, name, **settings))
    if args.out:
        write_private(Path(args.out), proposal.model_dump_json(indent=2) + "\n")
    wishes: dict[str, Any] = {"base": args.base or "", "draft": args.draft, "labels": args.label or []}
    if args.dry_run:
        made = PROrchestrator(owner, name, **settings)
        told = asyncio.run(made.create_github_pr(proposal, dry_run=True, **wishes))
        output.result(told, rehearsed(told))
        return 0
    with open_folder(args).open_ledger() as ledger:
        details = {"title": proposal.title, "proposal": proposal.proposal_id}
        gate = Gate.of(settings_of(args), ledger)
        facts = {"change_count": len(proposal.changes), "details": details, "approval_id": args.approval}
        ask_locally(gate, Action.PR_PROPOSE, **facts)
        made = PROrchestrator(owner, name, ledger=ledger, **settings)
        told = asyncio.run(made.create_github_pr(proposal, **wishes))
    for note in told["notes"]:
        output.say(escaped(note))
    output.result(told, f"{told['status']}  {escaped(told['pr_url'])}  ({told['branch']})")
    return 0


def _proposal(args: argparse.Namespace, made: PROrchestrator) -> PRProposal:
    from core.pull_requests import PRProposal
    from service.pull_requests.sources import (
        changes_of_diff,
        changes_of_folders,
        changes_of_json,
        proposal_of_json,
    )

    source, against = Path(args.source), Path(args.against or ".")
    told: dict[str, Any] = {}
    if source.suffix == ".json":
        read = proposal_of_json(source)
        if isinstance(read, PRProposal):
            if args.title or args.body_file:
                raise UsageError(
                    "a finished proposal has its title and body", where="command line", hint="leave them out"
                )
            return read
        told, changes = read, changes_of_json(read["changes"], str(source))
    elif source.is_dir():
        if args.against is None:
            raise UsageError(
                "a changed folder is compared with another one", where="command line", hint="--against DIR"
            )
        changes = changes_of_folders(source, against)
    else:
        text = sys.stdin.read() if args.source == "-" else source.read_bytes().decode(errors="replace")
        changes = changes_of_diff(text, against)
    title = args.title or told.get("title")
    if not title:
        raise UsageError("a pull request has a title", where="command line", hint="--title TEXT")
    body = Path(args.body_file).read_text("utf-8") if args.body_file else None
    description = str(told.get("description") or (body or title))
    return made.generate_proposal(changes, str(title), description, evidence=told.get("evidence"), body=body)


def rehearsed(told: dict[str, Any]) -> str:
    """Every request, as it would be sent."""
    lines = [f"nothing was sent; {len(told['requests'])} requests would go to {told['base_url']}"]
    for request in told["requests"]:
        lines.append(f"\n{request['method']} {escaped(request['path'])}")
        if request["body"] is not None:
            lines.append(escaped(json.dumps(request["body"], indent=2, ensure_ascii=False)))
    return "\n".join(lines)
