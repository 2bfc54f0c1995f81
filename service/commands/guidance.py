"""`guide`, `steer` and `guidance`: say something to a campaign, also while another process runs it; what came of it."""

from __future__ import annotations

import argparse
import getpass
import re
from typing import TYPE_CHECKING, Any

from core.errors import NotFoundError, UsageError
from service.escape import escaped
from service.output import Output
from service.payoff import paid_line, payoff
from service.state import open_folder, pick_campaign, settings_of
from service.tables import fields

if TYPE_CHECKING:
    from core.campaign import Objective
    from core.guidance import GuidanceReceipt
    from memory.ledger import Ledger, StoredCampaign

__all__ = ["guidance", "guide", "steer"]

AN_ID = re.compile(r"[A-Za-z][\w.\-]*-\d+")


def guide(args: argparse.Namespace, output: Output) -> int:
    """`guide [ID] TEXT`: heeded from the next cycle on."""
    return _give(args, output, urgent=False)


def steer(args: argparse.Namespace, output: Output) -> int:
    """`steer [ID] TEXT`: heeded from the next node on."""
    return _give(args, output, urgent=True)


def guidance(args: argparse.Namespace, output: Output) -> int:
    """`guidance [ID]`, `guidance drop GID [ID]`"""
    from memory.guidance import GuidanceBook

    folder = open_folder(args, must_exist=True)
    with folder.open_ledger() as ledger:
        book = GuidanceBook(ledger)
        if args.words and args.words[0] == "drop":
            if not 2 <= len(args.words) <= 3:
                raise UsageError(
                    "which guidance is to be dropped?", where="guidance drop", hint="guidance drop g1 [ID]"
                )
            stored = _campaign(ledger, args.words[2] if len(args.words) == 3 else None)
            _may_guide(args, ledger, {"campaign": stored.id, "drop": args.words[1]})
            book.drop(stored.id, args.words[1], author=_author(), door=args.door)
            output.result(
                {"campaign": stored.id, "guidance": args.words[1], "status": "dropped"},
                f"{args.words[1]} of {stored.id} is dropped: without effect from the next node on",
            )
            return 0
        if len(args.words) > 1:
            raise UsageError(f"{args.words[1]} is not understood here", where="guidance", hint="guidance [ID]")
        stored = _campaign(ledger, args.words[0] if args.words else None)
        receipts = book.receipts(stored.id)
        objective = stored.definition.objective
        output.result(
            {"campaign": stored.id, "guidance": [_plain(one, objective) for one in receipts]},
            "\n\n".join(_shown(one, objective) for one in receipts) or f"nothing was said to {stored.id}",
        )
    return 0


def _give(args: argparse.Namespace, output: Output, *, urgent: bool) -> int:
    from memory.guidance import GuidanceBook

    folder = open_folder(args, must_exist=True)
    with folder.open_ledger() as ledger:
        stored, text = _addressed(ledger, args.words)
        _may_guide(args, ledger, {"campaign": stored.id, "text": text})
        given = GuidanceBook(ledger).give(stored.id, text, author=_author(), door=args.door, urgent=urgent)
        value = {
            "campaign": stored.id,
            "guidance": given.id,
            "text": given.text,
            "status": "queued",
            "from": "the next node" if urgent else "the next cycle",
            **_read(ledger, stored, given.text),
        }
        output.result(value, _queued(value, stored))
    return 0


def _may_guide(args: argparse.Namespace, ledger: Ledger, details: dict[str, Any]) -> None:
    """Leave of the policy, which keeps it in the audit."""
    from core.policy import Action
    from service.policy import Gate, ask_locally

    ask_locally(Gate.of(settings_of(args), ledger), Action.GUIDE, details=details)


def _addressed(ledger: Ledger, words: list[str]) -> tuple[StoredCampaign, str]:
    """The campaign and the sentence: the first word is a campaign's id when there is more, and it is one.

    Raises UsageError, NotFoundError for an id alone, and one that there is not: no other campaign is told instead.
    """
    known = {stored.id: stored for stored in ledger.campaigns()}
    if words[0] in known:
        if not " ".join(words[1:]).strip():
            raise UsageError("what is to be said?", where=words[0], hint=f'guide {words[0]} "keep learning_rate low"')
        return known[words[0]], " ".join(words[1:])
    if len(words) > 1 and AN_ID.fullmatch(words[0]):
        hint = f"known: {', '.join([*known][-8:])}; if it is a part of the sentence, put that in quotation marks"
        raise NotFoundError(f"there is no campaign {words[0]!r}", where=str(ledger.database.path or ""), hint=hint)
    return _campaign(ledger, None), " ".join(words)


def _campaign(ledger: Ledger, campaign_id: str | None) -> StoredCampaign:
    """The campaign of that id; else the last unfinished one, else the last."""
    if campaign_id is None and any(c.status not in ("finished", "failed") for c in ledger.campaigns()):
        return pick_campaign(ledger, None, unfinished=True)
    return pick_campaign(ledger, campaign_id)


def _author() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return "human"


def _read(ledger: Ledger, stored: StoredCampaign, text: str) -> dict[str, Any]:
    """How the rules read the sentence in that campaign; a code campaign's names are known to its own process only."""
    from agents.guidance.reading import read
    from agents.guidance.words import vocabulary_of
    from graph.loading import space_of
    from memory.history import History

    if stored.definition.kind == "code":
        return {"understood": None, "not_understood": []}
    baseline = History.load(ledger, stored.id).baseline
    words = vocabulary_of(stored.definition, space_of(stored.definition), baseline.metrics if baseline else ())
    reading = read(text, words)
    return {
        "understood": [str(meaning) for meaning in reading.meanings],
        "not_understood": [one.model_dump(exclude={"version"}) for one in reading.unread],
    }


def _queued(value: dict[str, Any], stored: StoredCampaign) -> str:
    lines = [f"{value['guidance']} queued for {stored.id}, from {value['from']} on"]
    lines += [f"  understood      {escaped(meaning)}" for meaning in value["understood"] or ()]
    for one in value["not_understood"]:
        hint = f" ({one['hint']})" if one["hint"] else ""
        lines.append(f"  not understood  {escaped(one['clause'])}: {escaped(one['reason'] + hint)}")
    if stored.status in ("finished", "failed"):
        lines.append(f"  it has {stored.status}: `python run_graph.py resume {stored.id} --cycles N` goes on with it")
    elif stored.status != "running":
        lines.append(f"  it does not run: `python run_graph.py resume {stored.id}` goes on with it")
    return "\n".join(lines)


def _plain(receipt: GuidanceReceipt, objective: Objective) -> dict[str, Any]:
    told: dict[str, Any] = receipt.model_dump(mode="json", exclude={"version"})
    told["meanings"] = [str(meaning) for meaning in receipt.guidance.meanings]
    told["payoff"] = payoff(receipt, objective)
    return told


def _shown(receipt: GuidanceReceipt, objective: Objective) -> str:
    said = receipt.guidance
    where = f" at the {receipt.node}, cycle {receipt.cycle}" if receipt.node else ""
    rows: list[tuple[str, object]] = [
        (said.id, f"{said.text}"),
        ("", f"{receipt.status}{where}; by {said.author} ({said.door})"),
    ]
    rows += [("means" if i == 0 else "", f"{m} ({m.source})") for i, m in enumerate(said.meanings)]
    rows += [("note" if i == 0 else "", note) for i, note in enumerate(receipt.notes)]
    rows += [
        ("changed" if i == 0 else "", f"{change.proposal_id} {change.what}")
        for i, change in enumerate(receipt.changes[:8])
    ]
    if len(receipt.changes) > 8:
        rows.append(("", f"… {len(receipt.changes) - 8} more; --json has them all"))
    if paid := payoff(receipt, objective):
        rows.append(("paid", paid_line(paid)))
    return fields([(escaped(str(name)), escaped(str(text))) for name, text in rows])
