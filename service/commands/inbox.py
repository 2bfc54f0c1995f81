"""`inbox`, `approve`, `edit`, `respond`, `ignore`: what waits for a person, and their answers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from core.errors import UsageError
from core.policy import Action
from service.output import Output
from service.state import campaign_overrides, open_folder, sets_of, settings_of
from service.tables import columns, line_width

if TYPE_CHECKING:
    from core.approvals import Answer, Approval
    from memory.approvals import Approvals
    from memory.ledger import Ledger

__all__ = ["approve", "edit", "ignore", "inbox", "respond"]

WIDE = 1_000_000
"""Columns where stdout is no terminal: lines are as long as they are."""


def inbox(args: argparse.Namespace, output: Output) -> int:
    """`inbox [ID]`, `inbox --rules`, `inbox --forget RULE`"""
    with _opened(args) as (ledger, approvals):
        if args.forget:
            _may_answer(args, ledger, {"rule": args.forget})
            rule = approvals.forget(args.forget, by=_me())
            output.result({"forgotten": rule.model_dump(mode="json")}, f"{rule.id} is forgotten")
        elif args.rules:
            rules = approvals.rules(args.campaign)
            rows = [(r.id, r.scope, r.campaign_id or "all", r.proposer, r.kind, r.max_risk, r.by) for r in rules]
            heads = ("rule", "scope", "campaign", "proposer", "kind", "risk up to", "by")
            text = columns(rows, heads) if rows else "no answer is remembered"
            output.result({"rules": [rule.model_dump(mode="json") for rule in rules]}, text)
        elif args.id:
            _show(approvals.get(args.id), output)
        else:
            found = approvals.of(args.campaign) if args.all else approvals.waiting(args.campaign)
            output.result({"waiting": [_told(one) for one in found]}, _table(found, ledger.clock()))
    return 0


def approve(args: argparse.Namespace, output: Output) -> int:
    """`approve ID [--remember campaign|project]`"""
    return _answered(args, output, {"kind": "accept", "remember": args.remember})


def respond(args: argparse.Namespace, output: Output) -> int:
    """`respond ID TEXT`"""
    return _answered(args, output, {"kind": "respond", "text": " ".join(args.text)})


def ignore(args: argparse.Namespace, output: Output) -> int:
    """`ignore ID [REASON]`"""
    return _answered(args, output, {"kind": "ignore", "text": " ".join(args.text)})


def edit(args: argparse.Namespace, output: Output) -> int:
    """`edit ID [--set KEY=VALUE …]`: with changes as they are, else in $EDITOR."""
    from service.approving import answer_from, changed_config
    from service.editing import edit_config

    with _opened(args) as (ledger, approvals):
        asked = approvals.get(args.id)
        _may_answer(args, ledger, {"approval": asked.id})
        if "edit" not in asked.allowed:
            raise UsageError(
                f"{asked.id} cannot be edited", where=asked.title, hint=f"it takes {', '.join(asked.allowed)}"
            )
        shown = asked.shown.get("config", {})
        changes = {**campaign_overrides(args), **{k: v for k, v in sets_of(args).items() if k in shown}}
        kept: list[Approval] = []

        def take(config: dict[str, Any]) -> None:
            kept.append(_give(approvals, asked, answer_from("edit", config=config), args))

        if changes:
            take(changed_config(asked, changes))
        elif args.no_input:
            raise UsageError("no changes were given", where="edit", hint=f"edit {asked.id} --set key=value")
        else:
            edit_config(asked, take)
        _tell(kept[0], ledger, approvals, args, output)
    return 0


def _answered(args: argparse.Namespace, output: Output, told: dict[str, Any]) -> int:
    from service.approving import answer_from

    with _opened(args) as (ledger, approvals):
        asked = approvals.get(args.id)
        _may_answer(args, ledger, {"approval": asked.id})
        _tell(_give(approvals, asked, answer_from(**told), args), ledger, approvals, args, output)
    return 0


def _give(approvals: Approvals, asked: Approval, answer: Answer, args: argparse.Namespace) -> Approval:
    shown = args.shown or asked.shown_hash
    return approvals.answer(asked.id, answer, by=_me(), door=args.door, shown_hash=shown)


@contextmanager
def _opened(args: argparse.Namespace) -> Iterator[tuple[Ledger, Approvals]]:
    from graph.approvals import open_approvals

    with open_folder(args, must_exist=True).open_ledger() as ledger:
        yield ledger, open_approvals(ledger)


def _may_answer(args: argparse.Namespace, ledger: Ledger, details: dict[str, Any]) -> None:
    """Leave of the policy, which keeps it in the audit."""
    from service.policy import Gate, ask_locally

    ask_locally(Gate.of(settings_of(args), ledger), Action.APPROVE, details=details)


def _me() -> str:
    from service.policy import local_context

    return local_context().actor


def _show(asked: Approval, output: Output) -> None:
    from core.approval_forms import as_action_requests, as_agent_inbox
    from service.approving import help_line, lines

    width = line_width() or WIDE
    shown = lines(asked, width, whole=True)
    if asked.state == "waiting":
        shown.append(f"answers: {help_line(asked)}, as `approve`, `edit`, `respond`, `ignore` {asked.id}")
    value = {**_told(asked), "agent_inbox": as_agent_inbox(asked), **as_action_requests([asked])}
    output.result(value, "\n".join(shown))


def _tell(asked: Approval, ledger: Ledger, approvals: Approvals, args: argparse.Namespace, output: Output) -> None:
    """What was said, and what comes next."""
    from service.approving import lines

    answer = asked.answer
    assert answer is not None
    told = {"accept": "yes", "edit": "yes, edited", "respond": "no, and the council hears why", "ignore": "no"}
    if args.door == "session":  # the question stands on the screen, and the campaign goes on by itself
        output.result(_told(asked), f"{asked.id}: {told[answer.kind]}")
        return
    output.result(_told(asked), "\n".join([*lines(asked, line_width() or WIDE), told[answer.kind]]))
    if answer.remember:
        output.say("remembered; `python run_graph.py inbox --rules` lists what is")
    if asked.asks == "action":
        if answer.says_yes:
            output.say(f"the same request passes once with the approval {asked.id}")
    elif owner := ledger.leases.owner(f"campaign {asked.campaign_id}"):
        output.say(f"process {owner.pid} goes on with it")
    elif more := len(approvals.waiting(asked.campaign_id)):
        output.say(f"{more} more to answer: python run_graph.py inbox")
    else:
        output.say(f"go on with: python run_graph.py resume {asked.campaign_id}")


def _told(asked: Approval) -> dict[str, Any]:
    return asked.model_dump(mode="json", exclude={"version"})


def _table(found: list[Approval], now: float) -> str:
    from service.approving import left

    if not found:
        return "nothing waits for a person"
    rows = [
        (
            one.id,
            f"{one.tier} {one.risk:.2f}",
            one.campaign_id or None,
            one.state if one.state != "waiting" else left(one.expires_at, now),
            one.title,
        )
        for one in found
    ]
    return columns(rows, ("id", "risk", "campaign", "time", "what waits"))
