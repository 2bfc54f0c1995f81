"""`deliver [ID]`: the best verified candidate as a diff, a branch, a push or files, with its evidence."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import NotFoundError, UsageError
from service.escape import escaped
from service.output import Output
from service.state import find_subject, open_folder, pick_campaign, settings_of
from service.tables import columns, fields

if TYPE_CHECKING:
    from graph.delivered import Delivered
    from graph.delivery import Delivery
    from memory.ledger import Ledger, StoredCampaign

__all__ = ["deliver"]

COMMAND = "`python run_graph.py deliver --help`"


def deliver(args: argparse.Namespace, output: Output) -> int:
    """`deliver [ID] [--diff FILE|-] [--branch [NAME]] [--push REMOTE] [--apply] [--dossier FILE] [--unverified]`"""
    from graph.delivery import open_delivery

    folder = open_folder(args, must_exist=True)
    with folder.open_ledger() as ledger:
        _check_usage(args, ledger)
        stored, candidate = _subject(ledger, args.id)
        delivery = open_delivery(folder, ledger, stored, candidate, unverified=args.unverified)
        _may_deliver(args, delivery)
        if args.pull_request:
            return _pull_request(args, output, delivery)
        places = _write_dossier(args, delivery)  # before, so that an error finds the evidence written
        told = _carry_out(args, delivery)
        if told:
            places = _write_dossier(args, delivery)
        _answer(args, output, delivery, told, places)
    return 0


def _check_usage(args: argparse.Namespace, ledger: Ledger) -> None:
    wrong = ""
    if args.dry_run and not args.pull_request:
        wrong = "--dry-run shows what a pull request would send, and none is asked for"
    elif args.onto and args.branch is None and not args.push:
        wrong = "--onto says where a branch goes on from, and none is asked for"
    elif args.id is None and args.branch and _is_id(ledger, args.branch):
        wrong = f"--branch takes {args.branch} as a name; write it before --branch"
    if wrong:
        raise UsageError(wrong, where="command line", hint=COMMAND)


def _is_id(ledger: Ledger, word: str) -> bool:
    return bool(re.fullmatch(r"[pj]-[0-9a-f]+", word)) or any(word == stored.id for stored in ledger.campaigns())


def _subject(ledger: Ledger, name: str | None) -> tuple[StoredCampaign, str]:
    """The campaign and the candidate in it; no candidate where a campaign was named, or nothing."""
    if name is None:
        known = [stored for stored in ledger.campaigns() if stored.definition.kind == "code"]
        if not known:
            hint = "`python run_graph.py run CAMPAIGN.yaml` with a campaign of kind code"
            raise NotFoundError("there is no campaign on code yet", where=str(ledger.database.path or ""), hint=hint)
        return known[-1], ""
    if re.fullmatch(r"[pj]-[0-9a-f]+", name):
        from memory.history import History

        campaign_id, subject = find_subject(ledger, name)
        if subject.startswith("j-"):
            outcome = History.load(ledger, campaign_id).outcomes.get(subject)
            subject = outcome.proposal_id if outcome is not None else subject
        return ledger.campaign(campaign_id), subject
    return pick_campaign(ledger, name), ""


def _may_deliver(args: argparse.Namespace, delivery: Delivery) -> None:
    """Leave for what leaves the machine, and for what is written into the project.  Raises PolicyError."""
    from core.policy import Action
    from service.policy import Gate, ask_locally

    gate = Gate.of(settings_of(args), delivery.ledger)
    facts: dict[str, Any] = {
        "change_count": len(delivery.code_changes()),
        "verified": delivery.chosen.grade == "verified",
        "details": {"campaign": delivery.stored.id, "candidate": delivery.chosen.id},
        "approval_id": args.approval,
    }
    if args.pull_request or args.push:
        ask_locally(gate, Action.PR_PROPOSE, dry_run=args.dry_run, **facts)
    if args.apply or (args.branch is not None and not args.push):
        ask_locally(gate, Action.CODE_APPLY, **facts)


def _carry_out(args: argparse.Namespace, delivery: Delivery) -> list[Delivered]:
    from graph.dossier import dossier
    from graph.dossier_text import commit_message
    from runtime.delivery import as_diff

    told = []
    if args.diff and args.diff != "-":
        as_diff(delivery.diff, Path(args.diff))
    if args.branch is not None or args.push:
        message = commit_message(dossier(delivery))
        if args.branch is not None:
            told.append(delivery.branch(message, args.branch, args.onto or ""))
        if args.push:
            told.append(delivery.push(args.push, message, args.branch or "", args.onto or ""))
    if args.apply:
        told.append(delivery.files())
    return told


def _pull_request(args: argparse.Namespace, output: Output, delivery: Delivery) -> int:
    """The candidate as a pull request with its dossier as the body; `--dry-run` shows what would be sent."""
    from runtime.github.address import Repository
    from service.commands.propose_pr import rehearsed
    from service.operations.pull_requests import opened_for

    repository = Repository.of(args.pull_request)
    told = asyncio.run(opened_for(delivery, repository.owner, repository.name, dry_run=args.dry_run))
    if args.dry_run:
        output.result(told, rehearsed(told))
        return 0
    for note in told["notes"]:
        output.say(escaped(note))
    output.result(told, f"{told['status']}  {escaped(told['pr_url'])}  ({told['branch']})")
    return 0


def _write_dossier(args: argparse.Namespace, delivery: Delivery) -> list[Path]:
    """The dossier as Markdown and JSON in the state folder, and where the user wants it; answers the places."""
    from core.files import write_atomically
    from graph.delivered import delivered_before
    from graph.dossier import dossier
    from graph.dossier_text import as_markdown

    told = dossier(delivery, delivered_before(delivery.ledger, delivery.stored.id, delivery.chosen.id))
    texts = {
        "md": as_markdown(told),
        "json": json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
    }
    own = delivery.folder.deliveries / delivery.chosen.id
    places = [own / "dossier.md", own / "dossier.json"]
    for place in places:
        write_atomically(place, texts[place.suffix[1:]])
    if args.dossier:
        wanted = Path(args.dossier).absolute()
        write_atomically(wanted, texts["json" if wanted.suffix == ".json" else "md"], mode=0o644)
        places.append(wanted)
    return places


def _answer(
    args: argparse.Namespace, output: Output, delivery: Delivery, told: list[Delivered], places: list[Path]
) -> None:
    from graph.dossier import dossier

    facts = dossier(delivery)
    value: dict[str, Any] = {
        "campaign": delivery.stored.id,
        "candidate": delivery.chosen.id,
        "grade": delivery.chosen.grade,
        "changes": facts["changes"],
        "verdict": facts["verdict"],
        "delivered": [one.as_json() for one in told],
        "dossier": [str(place) for place in places],
    }
    if args.diff:
        value["diff"] = delivery.diff if args.diff == "-" else str(Path(args.diff).absolute())
    text = _text(delivery, facts, told, places, args)
    if args.diff == "-" and output.mode == "text":
        output.say(text)
        diff = delivery.diff.removesuffix("\n")
        output.data(escaped(diff) if sys.stdout.isatty() else diff)  # a terminal is moved by what a program is not
        return
    output.result(value, text)


def _text(
    delivery: Delivery, facts: dict[str, Any], told: list[Delivered], places: list[Path], args: argparse.Namespace
) -> str:
    rows: list[tuple[str, object]] = [(delivery.chosen.id, f"of {delivery.stored.id}, {delivery.chosen.grade}")]
    verdict, judged = facts["verdict"], facts["judgement"]
    if judged["ratio"] is not None:
        rows.append(("judged", f"{judged['ratio']:.4g} times as fast over {judged['pairs']} pairs"))
    if verdict is not None:
        rows.append(("verdict", f"{verdict['answer']} on {verdict['pairs']} fresh paired seeds"))
    for one in told:
        rows += _delivered(one)
    if args.diff and args.diff != "-":
        rows.append(("diff", f"{Path(args.diff).absolute()}; `git apply` takes it in {delivery.root}"))
    rows.append(("dossier", str(places[-1] if args.dossier else places[0])))
    if not told and not args.diff:
        rows.append(("next", "--diff FILE, --branch, --push REMOTE, --pull-request or --apply"))
    files = facts["changes"]["files"]
    table = columns(
        [(row["path"], row["what"], f"+{row['added']}", f"-{row['removed']}") for row in files],
        ("file", "", "lines", ""),
    )
    return f"{table}\n\n{fields(rows)}"


def _delivered(one: Delivered) -> list[tuple[str, object]]:
    what = {"made": "", "found": " (it was there already)", "nothing": ": nothing to do, it is all there already"}
    place = f"{one.branch} in {one.where}" if one.branch else one.where
    rows: list[tuple[str, object]] = [(one.kind, f"{place}{what[one.state]}")]
    if one.commit:
        rows.append(("commit", f"{one.commit[:12]} on {one.parent[:12]}"))
    if one.merged:
        rows.append(("merged", f"with your changes since, not measured in this form: {', '.join(one.merged)}"))
    if one.differ:
        more = f" and {len(one.differ) - 8} more" if len(one.differ) > 8 else ""
        rows.append(
            ("differ", f"other files there are not those that were measured: {', '.join(one.differ[:8])}{more}")
        )
    rows += [("kept", f"{file} as {copy}") for file, copy in one.backups]
    if one.undo:
        rows.append(("undo", one.undo))
    return rows
